"""The closing words of a run."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from cellscale.cli.output.summary import show_summary
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import Request
from cellscale.workspace.layout import workspace_paths

REPORT, SINGLE = "somewhere/index.html", "somewhere/report.html"
LONG = "a rather long [bold] name of an image, as microscopes give them µ"
OUTCOME = RunOutcome(
    (
        ImageOutcome(
            image=LONG,
            status="done",
            cells=12_345,
            nuclei=12_001,
            unmatched_nuclei=17,
            seconds=61.24,
            peak_memory=2_310_000_000,
        ),
        ImageOutcome(image="b", status="failed", error="it is empty; export it again"),
        ImageOutcome(image="c", status="planned", notes=("would make masks",)),
    ),
    outputs=(REPORT, SINGLE),
)


@pytest.fixture
def request_(tmp_path):
    paths = workspace_paths(tmp_path)
    for made in (paths.segmasks, paths.reports, paths.project):
        made.mkdir()
    (paths.project / "project.qpproj").touch()
    return Request(paths=paths)


def test_away_from_a_terminal_the_summary_is_lines_parted_by_tabs(request_, capsys):
    show_summary(OUTCOME, request_, Console(file=io.StringIO()))
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split("\t") == ["image", "status", "cells", "nuclei", "unmatched nuclei", "time", "peak memory"]
    assert lines[1].split("\t") == [LONG, "done", "12,345", "12,001", "17", "61.2 s", "2.31 GB"]
    assert lines[2].split("\t") == ["b", "failed", "-", "-", "-", "-", "-"]
    assert "c: would make masks" in lines
    assert f"masks: {request_.paths.segmasks}" in lines
    assert f"report: {REPORT}" in lines
    assert f"report in one file: {SINGLE}" in lines
    assert f"tables: {request_.paths.reports}" in lines
    assert f"QuPath project: {request_.paths.project}" in lines
    assert err == "failed: b: it is empty; export it again\n"


def test_at_a_terminal_a_table_is_drawn_with_every_character_of_the_names(request_):
    screen = io.StringIO()
    show_summary(OUTCOME, request_, Console(file=screen, force_terminal=True, width=140, color_system=None))
    assert LONG in screen.getvalue()
    assert "12,345" in screen.getvalue()


def test_only_what_was_asked_for_is_pointed_at(request_, capsys):
    show_summary(OUTCOME, replace(request_, measure=False), Console(file=io.StringIO()))
    out = capsys.readouterr().out
    assert "masks: " in out
    assert "tables: " not in out


def test_folders_that_were_not_made_are_not_pointed_at(tmp_path, capsys):
    request = Request(paths=workspace_paths(tmp_path))
    show_summary(OUTCOME, request, Console(file=io.StringIO()))
    assert str(tmp_path) not in capsys.readouterr().out
    show_summary(OUTCOME, replace(request, dry_run=True), Console(file=io.StringIO()))
    assert f"masks would be in: {request.paths.segmasks}" in capsys.readouterr().out


def test_a_dry_run_in_which_all_images_fail_names_no_folders(tmp_path, capsys):
    outcome = RunOutcome(tuple(image for image in OUTCOME.images if image.status == "failed"))
    show_summary(outcome, Request(paths=workspace_paths(tmp_path), dry_run=True), Console(file=io.StringIO()))
    assert "would be" not in capsys.readouterr().out


def test_why_an_image_failed_is_told_once(request_, capsys):
    show_summary(OUTCOME, request_, Console(file=io.StringIO()), {"b"})
    assert capsys.readouterr().err == ""


def test_control_characters_in_names_reach_no_terminal_and_break_no_line(request_, capsys):
    name = "a\tb\nc\x1b[2J\x9b\u202e"
    outcome = RunOutcome((ImageOutcome(image=name, status="failed", error=f"{name} is damaged"),))
    show_summary(outcome, request_, Console(file=io.StringIO()))
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split("\t")[:2] == [r"a\tb\nc\x1b[2J\x9b\u202e", "failed"]
    assert not set("\x1b\x9b\u202e") & set(out + err)
