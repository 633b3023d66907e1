"""``cellscale models`` in words."""

import pytest
from click.testing import CliRunner

from cellscale.cli.commands import models as commands
from cellscale.cli.main import cellscale
from cellscale.weights.catalogue import MODELS, installed_path
from cellscale.weights.license import notice
from tests.weights.fixtures import CONTENT

pytestmark = pytest.mark.usefixtures("tiny")


def run(*words, answer=None):
    return CliRunner().invoke(cellscale, ["models", *words], input=answer)


def test_fetch_verify_and_path_agree(tiny, onnx_file):
    fetched = run("fetch", "tiny", "--accept_license", "--from", str(onnx_file))
    assert (fetched.exit_code, fetched.stdout.strip()) == (0, str(installed_path(tiny)))
    assert run("path", "tiny").stdout.strip() == str(installed_path(tiny))
    verified = run("verify", "tiny")
    assert verified.exit_code == 0
    assert tiny.sha256 in verified.stdout


def test_the_last_line_says_what_was_done(onnx_file):
    words = ("fetch", "tiny", "--accept_license", "--from", str(onnx_file))
    assert run(*words).stderr.splitlines()[-1] == "The tiny weights are installed, and checked to the last byte."
    assert run(*words).stderr.splitlines()[-1] == "The tiny weights were there already and are intact."


def test_the_licence_fits_a_terminal():
    assert max(map(len, notice(MODELS["mesmer"]).splitlines())) < 80


def test_hyphens_serve_as_well(onnx_file):
    assert run("fetch", "tiny", "--accept-license", "--from", str(onnx_file)).exit_code == 0


def test_list_tells_the_state_of_each_model(tiny, onnx_file):
    assert "tiny: not installed" in run("list").stdout
    run("fetch", "tiny", "--accept_license", "--from", str(onnx_file))
    assert "tiny: installed" in run("list").stdout
    installed_path(tiny).write_bytes(CONTENT[:-1])
    assert "tiny: damaged" in run("list").stdout
    assert "mesmer: not installed" in run("list").stdout


@pytest.mark.parametrize("command", ["verify", "path"])
def test_missing_weights_are_a_wrong_request(command):
    result = run(command, "tiny")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: the tiny weights are not installed")
    assert "Traceback" not in result.stderr


def test_without_a_terminal_the_licence_is_not_asked_but_explained(tiny, onnx_file):
    result = run("fetch", "tiny", "--from", str(onnx_file), answer="y\n")
    assert result.exit_code == 2
    assert "--accept_license" in result.stderr
    assert not installed_path(tiny).exists()


def test_at_a_terminal_the_licence_is_shown_and_asked_once(monkeypatch, tiny, onnx_file):
    monkeypatch.setattr(commands, "at_terminal", lambda: True)
    first = run("fetch", "tiny", "--from", str(onnx_file), answer="y\n")
    assert first.exit_code == 0
    assert "non-commercial" in first.stderr
    installed_path(tiny).unlink()
    again = run("fetch", "tiny", "--from", str(onnx_file))
    assert again.exit_code == 0
    assert "non-commercial" not in again.stderr


def test_a_refused_licence_downloads_nothing(monkeypatch, tiny, onnx_file):
    monkeypatch.setattr(commands, "at_terminal", lambda: True)
    result = run("fetch", "tiny", "--from", str(onnx_file), answer="n\n")
    assert result.exit_code == 2
    assert not installed_path(tiny).exists()
