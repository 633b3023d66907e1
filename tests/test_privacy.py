"""Libraries that report to their makers do not when cellscale uses them, unless the user wants it."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from cellscale.privacy import ONNXRUNTIME_SWITCH, load_openvino, onnxruntime_reports, silence_onnxruntime

HIDING = ("CI", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS", "BUILD_ID", "BUILD_NUMBER")
"""Variables of machines for tests, where both libraries keep quiet by themselves."""

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="the extra openvino is not installed")


def left_behind(home: Path, code: str, **variables: str) -> tuple[str, list[str]]:
    """Return what a program prints and the files that it leaves at home. No network is in its reach."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("programs cannot be kept from the network here: `unshare -rn` does not work")
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in (*HIDING, ONNXRUNTIME_SWITCH)}
    environment = {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), **variables}
    words = ["unshare", "-rn", sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip(), sorted(path.name for path in home.rglob("*") if path.is_file())


def test_onnxruntime_leaves_nothing_after_cellscale(tmp_path):
    _, plain = left_behind(tmp_path / "plain", "import onnxruntime")
    if not plain:
        pytest.skip("this version of ONNX Runtime reports nothing by itself")
    assert left_behind(tmp_path / "ours", "import cellscale, onnxruntime") == ("", [])
    assert left_behind(tmp_path / "empty", "import cellscale, onnxruntime", **{ONNXRUNTIME_SWITCH: ""}) == ("", [])


def test_a_program_started_from_ours_is_kept_quiet_too(tmp_path):
    child = (
        "import subprocess, sys, cellscale; subprocess.run([sys.executable, '-c', 'import onnxruntime'], check=True)"
    )
    assert left_behind(tmp_path / "home", child) == ("", [])


@pytest.mark.slow
@needs_openvino
def test_openvino_leaves_nothing_when_cellscale_loads_it(tmp_path):
    code = "from cellscale.privacy import load_openvino; print(load_openvino().Core().available_devices)"
    said, left = left_behind(tmp_path / "home", code)
    assert "CPU" in said
    assert left == []


@pytest.mark.slow
@needs_openvino
@pytest.mark.parametrize("before", ["", "import openvino_telemetry; "])
def test_the_reporting_module_can_be_imported_afterwards(tmp_path, before):
    code = (
        f"{before}from cellscale.privacy import load_openvino; load_openvino(); "
        "import openvino_telemetry; print(openvino_telemetry.Telemetry.__name__)"
    )
    assert left_behind(tmp_path / "home", code) == ("Telemetry", [])


@needs_openvino
def test_openvino_that_is_loaded_already_is_taken_as_it_is():
    import_once = load_openvino()
    assert load_openvino() is import_once
    assert sys.modules.get("openvino_telemetry", "none") is not None


@pytest.mark.parametrize("value", ["0", "1", "false", "anything"])
def test_what_the_user_has_set_stays(monkeypatch, value):
    monkeypatch.setenv(ONNXRUNTIME_SWITCH, value)
    silence_onnxruntime()
    assert os.environ[ONNXRUNTIME_SWITCH] == value
    assert onnxruntime_reports() == (value != "1")


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", "on", "0", "2", "no", "false"])
def test_the_switch_is_read_as_onnxruntime_reads_it(tmp_path, monkeypatch, value):
    _, left = left_behind(tmp_path / "home", "import onnxruntime", **{ONNXRUNTIME_SWITCH: value})
    monkeypatch.setenv(ONNXRUNTIME_SWITCH, value)
    if not left and onnxruntime_reports():
        pytest.skip("this version of ONNX Runtime reports nothing by itself")
    assert onnxruntime_reports() == bool(left)


def test_onnxruntime_that_was_loaded_before_is_told_to_stop(tmp_path):
    code = (
        "import onnxruntime; told = []; onnxruntime.disable_telemetry_events = lambda: told.append('told'); "
        "import cellscale; print(*told)"
    )
    said, _ = left_behind(tmp_path / "home", code)
    assert said == "told"
