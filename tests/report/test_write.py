"""A dataset's report is brought up to date run by run."""

import pytest

from cellscale.report.look import look_from_json, look_to_json
from cellscale.report.record import record_from_json, record_to_json
from cellscale.report.write import update_report
from cellscale.workspace.layout import workspace_paths
from tests.report.looks import look, record


@pytest.fixture
def paths(tmp_path):
    return workspace_paths(tmp_path / "slides")


def see(paths, image, seen):
    folder = paths.jobs / "report"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{image}.look.json").write_bytes(look_to_json(seen))


def update(paths, *records, images="abc"):
    update_report(paths, records, images)
    return (paths.reports / "index.html").read_text(encoding="utf-8")


def test_what_was_seen_and_told_comes_back_as_it_was():
    assert look_from_json(look_to_json(look())) == look()
    assert record_from_json(record_to_json(record())) == record()
    for text in (b"", b"{", b"[]", b'{"shape": 3}', b"\xff"):
        assert look_from_json(text) is None
        assert record_from_json(text) is None


def test_the_list_names_the_dataset_and_links_the_pages(paths):
    see(paths, "a", look())
    index = update(paths, record("a"), record("b", error="broken", status="failed"))
    assert "slides/OMETIFF" in index
    assert 'href="a_report.html"' in index
    assert {path.name for path in paths.reports.iterdir()} == {"index.html", "a_report.html", "b_report.html"}


def test_images_of_earlier_runs_stay_in_the_list_until_they_are_gone(paths):
    update(paths, record("a"), record("b"))
    assert 'href="a_report.html"' in update(paths, record("c"))
    assert 'href="a_report.html"' not in update(paths, record("c"), images="bc")


def test_a_run_that_kept_everything_does_not_forget_how_it_was_made(paths):
    update(paths, record("a"))
    index = update(paths, record("a", status="kept", seconds=0.1, stages=(), network="", certificates={}))
    assert "12.5 s" in index
    page = (paths.reports / "a_report.html").read_text(encoding="utf-8")
    assert "mesmer" in page
    assert "there are 6" in page


def test_a_page_is_written_again_only_if_there_is_something_new(paths):
    see(paths, "a", look())
    update(paths, record("a", status="kept"))
    page = paths.reports / "a_report.html"
    page.write_text("as it was", encoding="utf-8")
    update(paths, record("a", status="kept"))
    assert page.read_text(encoding="utf-8") == "as it was"
    see(paths, "a", look(flags=("focus",)))
    update(paths, record("a", status="kept"))
    assert "focus" in page.read_text(encoding="utf-8")
    page.unlink()
    update(paths, record("a", status="kept"))
    assert page.is_file()


def test_damaged_facts_are_as_none(paths):
    update(paths, record("a"), record("b"))
    for path in (paths.jobs / "report").iterdir():
        path.write_bytes(b"garbage")
    see(paths, "a", look())
    (paths.jobs / "report" / "a.look.json").write_bytes(b"{}")
    index = update(paths, record("a"))
    assert 'href="a_report.html"' in index
    assert 'href="b_report.html"' not in index
