"""The container images, as far as that can be known without building them."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "container"
DOCKERFILES = [FOLDER / "Dockerfile", FOLDER / "Dockerfile.gpu"]


def instructions(path):
    """Return the instructions of a Dockerfile as pairs of keyword and rest, by stage."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages = []
    for line in filter(None, map(str.strip, text.splitlines())):
        keyword, _, rest = line.partition(" ")
        if keyword == "FROM":
            stages.append([])
        if stages:
            stages[-1].append((keyword, rest))
    return stages


def environment(stage):
    return dict(word.split("=", 1) for keyword, rest in stage if keyword == "ENV" for word in shlex.split(rest))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path) -> None:
    program = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        pytest.skip("hadolint is not installed (there is no package of it for this system)")
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_nobody_is_root_and_the_command_is_cellscale(path) -> None:
    last = dict(instructions(path)[-1])
    assert int(last["USER"]) > 0
    assert json.loads(last["ENTRYPOINT"]) == ["cellscale"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_kernels_are_compiled_for_where_they_run(path) -> None:
    build, last = map(environment, instructions(path))
    for name in ("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        assert build[name] == last[name]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_sent_to_the_builder(path) -> None:
    sent = (path.parent / f"{path.name}.dockerignore").read_text().splitlines()
    for keyword, rest in instructions(path)[0]:
        if keyword == "COPY":
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in sent


def test_google_builds_and_keeps_both() -> None:
    yaml = pytest.importorskip("yaml")
    build = yaml.safe_load((FOLDER / "cloudbuild.yaml").read_text())
    tagged = {step["args"][step["args"].index("--tag") + 1] for step in build["steps"]}
    built = {ROOT / step["args"][step["args"].index("--file") + 1] for step in build["steps"]}
    assert tagged == set(build["images"])
    assert built == set(DOCKERFILES)


@pytest.mark.slow
def test_the_kernels_are_compiled_by_a_real_run(tmp_path) -> None:
    paths = os.pathsep.join([str(ROOT / "tests" / "predict"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(FOLDER / "compile_kernels.py"), str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths}, capture_output=True)
    assert list((tmp_path / "REPORTS").glob("*.tsv"))


def test_the_entry_point_answers_quickly_and_needs_no_home(tmp_path) -> None:
    program = Path(sys.executable).with_name("cellscale")
    bare = {"PATH": "/usr/bin:/bin", "CELLSCALE_CACHE": str(tmp_path / "cache")}
    for words in (["--help"], ["stage", "segment-image", "--help"], ["--version"]):
        done = subprocess.run([str(program), *words], env=bare, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [str(program), "stage", "segment-image", "--tasks_spec_uri", str(tmp_path / "none"), "--task_index", "0"],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["severity"] == "ERROR"
