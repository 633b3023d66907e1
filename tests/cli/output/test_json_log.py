"""Logs for machines: one JSON object a line, with a severity, and nothing secret."""

import io
import json
import logging
import warnings
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from cellscale.cli.main import cellscale
from cellscale.cli.output.json_log import json_logging
from cellscale.pipeline.events import Advanced, ImageStarted, Notice, StageFinished, StageStarted
from cellscale.records.stage_cost import StageRecord
from tests.cli.runs import run

SECRET = "AKIA0SECRET0VALUE0"


def logged(work, verbose=0):
    """Return the lines that some work leaves."""
    file = io.StringIO()
    with json_logging(file, {"run": "r1"}, verbose=verbose) as (log, listener):
        work(log, listener)
    return [json.loads(line) for line in file.getvalue().splitlines()]


def test_events_have_severities_and_words() -> None:
    def work(log, listener):
        listener(ImageStarted("a", 1, 3))
        listener(StageStarted("a", "network", 9, 2))
        listener(Advanced("a", "network"))
        listener(StageFinished("a", StageRecord("network", 1.25, 10**9, 7, 1.0)))
        for level in ("info", "warning", "error"):
            listener(Notice("a", level, "two\nlines"))

    lines = logged(work)
    assert [line["severity"] for line in lines] == ["INFO"] * 4 + ["WARNING", "ERROR"]
    assert all(line["run"] == "r1" and line["time"] and line["message"].startswith("a: ") for line in lines)
    assert lines[2]["record"]["units"] == 7


def test_what_is_told_later_has_the_time_at_which_it_happened() -> None:
    happened = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def work(log, listener):
        listener(Notice("a", "info", "early"))
        listener(Notice("b", "info", "late", happened))

    early, late = logged(work)
    assert late["time"] == "2026-01-02T03:04:05.000+00:00"
    assert late.keys() == early.keys()
    assert early["time"] > late["time"]


def test_progress_is_told_now_and_then(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("cellscale.cli.output.json_log.time.monotonic", lambda: now[0])

    def work(log, listener):
        listener(StageStarted("a", "network", 100, 0))
        for _ in range(100):
            now[0] += 1.0
            listener(Advanced("a", "network"))

    messages = [line["message"] for line in logged(work)]
    assert messages[1:] == [f"a: network: {count} of 100" for count in (30, 60, 90)]


def test_messages_of_libraries_and_crashes_are_lines_too() -> None:
    def work(log, listener):
        logging.getLogger("library").warning("careful: %s", f"Bearer {SECRET}")
        logging.getLogger("library").info("not worth it")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", stacklevel=1)
        try:
            int(f"token={SECRET}")
        except ValueError as error:
            log.crash(error)

    lines = logged(work)
    assert [line["severity"] for line in lines] == ["WARNING", "WARNING", "CRITICAL"]
    assert "ValueError" in lines[2]["stack_trace"]
    assert SECRET not in json.dumps(lines)


def test_nothing_is_left_behind() -> None:
    before = list(logging.getLogger().handlers)
    logged(lambda log, listener: None)
    assert logging.getLogger().handlers == before


def test_an_error_of_ours_has_an_exit_code_of_its_own(monkeypatch, tmp_path) -> None:
    def broken(location):
        raise ZeroDivisionError(f"https://x/?X-Goog-Signature={SECRET}")

    monkeypatch.setattr("cellscale.engines.tasks.spec.read_spec", broken)
    ended = CliRunner().invoke(cellscale, ["stage", "finish", "--tasks_spec_uri", str(tmp_path)])
    assert ended.exit_code == 70
    (line,) = map(json.loads, ended.stdout.splitlines())
    assert line["severity"] == "CRITICAL"
    assert SECRET not in ended.stdout


@pytest.mark.parametrize("words", [["--log_format", "text"], ["--log-format", "text", "-v"]])
def test_words_for_people_on_request(words, tmp_path) -> None:
    ended = run("stage", "finish", "--tasks_spec_uri", tmp_path / "none", *words)
    assert ended.exit_code == 2
    assert ended.stdout == ""
    assert "does not exist" in ended.stderr
