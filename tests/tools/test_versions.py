"""Finding Pythons, and telling what came of trying them."""

import json
import os
import sys

import pytest

from tools.versions import __main__ as program
from tools.versions.interpreters import Interpreter, find, look_at
from tools.versions.trial import Outcome

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def script(folder, name, *lines):
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_the_python_that_runs_this_is_one():
    assert look_at(sys.executable).minor == HERE


@pytest.mark.parametrize(
    "lines",
    [
        ("echo 'pyenv: python3.13: command not found' >&2", "exit 127"),
        ("echo hello",),
        ("echo PyPy 3.11.0 /usr/bin/pypy",),
    ],
    ids=["fails", "says something else", "another implementation"],
)
def test_a_program_that_is_no_python_is_none(tmp_path, lines):
    assert look_at(script(tmp_path, "python3.13", *lines)) is None
    assert look_at(tmp_path / "nothing") is None


def test_one_that_does_not_run_does_not_hide_one_that_does(tmp_path, monkeypatch):
    broken, good = tmp_path / "broken", tmp_path / "good"
    broken.mkdir()
    good.mkdir()
    script(broken, f"python{HERE}", "exit 127")
    script(good, f"python{HERE}", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", f"{broken}{os.pathsep}{good}")
    assert find(HERE).minor == HERE


def test_a_version_that_nobody_has_is_not_found_and_not_fetched():
    assert find("3.99") is None


def outcome(name, files, tests="3 passed in 1.00s"):
    return Outcome(name, "3.13.0", tests, "done in 9 s", dict(files))


def test_other_bytes_are_a_problem_of_their_environment():
    outcomes = [outcome("newest-3.13", {"a": "1", "b": "2"}), outcome("lowest-3.11", {"a": "1", "b": "3"})]
    program._compare(outcomes)
    assert not outcomes[0].problems
    assert outcomes[1].problems == ["b is not the file of newest-3.13"]
    table = program._table(outcomes, ["3.12"])
    assert any(line.startswith("lowest-3.11") and "2 OTHER BYTES" in line for line in table)
    assert "Python 3.12 is not on this machine: not tested" in table


def test_a_run_without_files_is_a_problem():
    outcomes = [outcome("newest-3.13", {}), outcome("locked-3.13", {"a": "1"})]
    program._compare(outcomes)
    assert outcomes[0].problems == ["it made no masks and tables"]
    assert not outcomes[1].problems


@pytest.fixture
def tried(monkeypatch):
    """What environments are said to have given, by name; and the names that were asked for."""
    given, asked = {}, []

    def answer(environment, *, tests):
        asked.append((environment.name, tests))
        problems = given.get(environment.name, [])
        return Outcome(environment.name, "3.13.0", "3 passed", "done", {"a": "1"}, list(problems))

    monkeypatch.setattr(program, "_outcome", answer)
    monkeypatch.setattr(program, "look_at", lambda _: Interpreter("/python3.13", "3.13.0"))
    known = {"3.11": Interpreter("/python3.11", "3.11.7"), "3.13": Interpreter("/python3.13", "3.13.0")}
    monkeypatch.setattr(program, "find", known.get)
    return given, asked


def test_each_python_the_lock_and_the_lowest_versions_are_tried(tmp_path, tried, capsys):
    _, asked = tried
    assert program.main(["check", "--folder", str(tmp_path)]) == 0
    names = ["newest-3.13", "newest-3.11", "locked-3.13", "lowest-3.11"]
    assert asked == [(name, True) for name in names]
    assert "Python 3.12 is not on this machine: not tested" in capsys.readouterr().out


def test_the_environment_of_the_whole_suite_runs_no_quick_tests(tmp_path, tried):
    _, asked = tried
    program.main(["check", "--folder", str(tmp_path), "--suite", "newest"])
    assert [name for name, tests in asked if not tests] == ["newest-3.13"]


def test_a_failure_is_told_by_the_exit_code_or_by_the_record(tmp_path, tried):
    tried[0]["locked-3.13"] = ["FAILED tests/a.py::test_b"]
    assert program.main(["check", "--folder", str(tmp_path)]) == 1
    record = tmp_path / "record.json"
    assert program.main(["check", "--folder", str(tmp_path), "--record", str(record)]) == 0
    problems = {each["environment"]: each["problems"] for each in json.loads(record.read_text())["outcomes"]}
    assert problems["locked-3.13"] == ["FAILED tests/a.py::test_b"]
