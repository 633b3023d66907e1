"""A dataset's report is brought up to date run by run."""

import json
import re
from dataclasses import replace

import pytest

from cellscale.errors import StorageError
from cellscale.records.stage_cost import StageRecord
from cellscale.report.findings import look_from_json, look_to_json
from cellscale.report.image_record import RegionRecord, TissueRecord, record_from_json, record_to_json
from cellscale.report.write import update_report
from cellscale.report.written_pages import pages_on_record
from cellscale.storage.content import content_of
from cellscale.workspace.layout import workspace_paths
from tests.report.looks import look, record

LOOK = look()
PAGES = ("index.html", "index_2.html", "index_3.html")


@pytest.fixture
def paths(tmp_path):
    return workspace_paths(tmp_path / "slides")


def see(paths, image, seen):
    folder = paths.jobs / "report"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{image}.look.json").write_bytes(look_to_json(seen))


def update(paths, *records, images="abc", **settings):
    update_report(paths, records, images, **settings)
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


def test_a_run_that_kept_everything_changes_no_byte(paths):
    see(paths, "a", look())
    made = record("a", parameters={"whole-cell": {"small_objects_threshold": 2}}, seconds=2)
    update(paths, made)
    before = {path: path.read_bytes() for folder in (paths.jobs, paths.reports) for path in folder.rglob("*.*")}
    update(paths, record("a", status="kept", notes=("looked at",), parameters={}, seconds=0.1, stages=()))
    assert {path: path.read_bytes() for path in before} == before


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


def test_pictures_that_are_made_later_add_their_time_to_what_the_cells_took(paths):
    update(paths, record("a", warnings=("membrane is dim",)))
    for seconds, shown in ((0.5, "13.0 s"), (0.7, "13.2 s")):
        pictures = StageRecord("pictures", seconds, 10**9, 5, 0.0)
        later = record(
            "a", seconds=1.5, peak_memory=10**9, stages=(pictures,), network="", versions={"cellscale": "2"}
        )
        assert shown in update(paths, later)
    page = (paths.reports / "a_report.html").read_text(encoding="utf-8")
    for words in ("membrane is dim", "13.2 s, at most 1.20 GB", "8.0 s", "mesmer", "cellscale 1.0"):
        assert words in page
    assert "9.0 s" in update(paths, record("a", seconds=9.0))


def test_a_page_is_written_again_only_if_there_is_something_new(paths):
    see(paths, "a", look())
    update(paths, record("a", status="kept"))
    page = paths.reports / "a_report.html"
    before = page.stat().st_mtime_ns
    update(paths, record("a", status="kept"))
    assert page.stat().st_mtime_ns == before
    see(paths, "a", look(flags=("focus",)))
    update(paths, record("a", status="kept"))
    assert "focus" in page.read_text(encoding="utf-8")
    page.unlink()
    update(paths, record("a", status="kept"))
    assert page.is_file()


@pytest.mark.parametrize("name", ["a_report.html", "index.html"])
def test_a_page_that_was_emptied_or_swapped_is_made_again_and_what_was_changed_is_put_aside(paths, name):
    see(paths, "a", look())
    told = []

    def again():
        update_report(paths, [record("a", status="kept"), record("b", status="kept")], "ab", tell=told.append)

    again()
    page = paths.reports / name
    whole = page.read_bytes()
    page.write_bytes(b"")
    again()
    assert page.read_bytes() == whole
    assert told == []
    page.write_bytes((paths.reports / "b_report.html").read_bytes())
    again()
    assert page.read_bytes() == whole
    (aside,) = paths.reports.glob(f"{name}.changed-*")
    assert aside.read_bytes() == (paths.reports / "b_report.html").read_bytes()
    assert told == [f"{page} was changed; it is kept as {aside.name}, and made again"]
    page.unlink()
    again()
    assert page.read_bytes() == whole
    assert {place: content.hash for _, place, content in pages_on_record(paths)} == {
        place: content_of(place) for place in paths.reports.glob("*.html")
    }


def test_pages_of_a_version_that_did_not_know_what_it_wrote_are_taken_for_ours(paths):
    see(paths, "a", look())
    index = update(paths, record("a"))
    kept = paths.jobs / "report"
    marks = json.loads((kept / "index.json").read_bytes())
    (kept / "index.json").write_text(json.dumps({name: mark["made_from"] for name, mark in marks.items()}))
    earlier = record_from_json((kept / "a.run.json").read_bytes())
    (kept / "a.run.json").write_bytes(record_to_json(replace(earlier, file=None)))
    assert list(pages_on_record(paths)) == []
    assert update(paths, record("a", status="kept")) == index
    assert not list(paths.reports.glob("*.changed-*"))


@pytest.mark.slow
def test_a_run_that_keeps_everything_writes_no_page_again(paths):
    names = [f"image {number:03}" for number in range(130)]
    for name in names:
        see(paths, name, LOOK)
    update(paths, *map(record, names), images=names)
    before = {path: path.stat().st_mtime_ns for path in paths.reports.iterdir()}
    assert {path.name for path in before if path.name.startswith("index")} == set(PAGES)
    kept = {"status": "kept", "seconds": 0.1, "stages": (), "notes": ("kept",), "finished_utc": "2027"}
    for _ in range(2):
        update(paths, *(record(name, **kept) for name in names), images=names)
    assert {path: path.stat().st_mtime_ns for path in paths.reports.iterdir()} == before
    update(paths, record(names[70], cells=7), images=names)
    new = {path.name for path in paths.reports.iterdir() if before[path] != path.stat().st_mtime_ns}
    assert new == {"image 070_report.html", "index.html", "index_2.html"}
    (paths.reports / "index_3.html").unlink()
    update(paths, record(names[0], **kept), images=names)
    assert (paths.reports / "index_3.html").is_file()


@pytest.mark.slow
def test_pages_of_the_list_go_with_their_images(paths):
    names = [f"image {number:03}" for number in range(130)]
    (paths.reports).mkdir(parents=True)
    (paths.reports / "index_9.html").write_text("somebody's", encoding="utf-8")
    update(paths, *map(record, names), images=names)
    index = update(paths, record(names[0]), images=names[:60])
    assert {path.name for path in paths.reports.glob("index*")} == {"index.html", "index_9.html"}
    assert "index_2" not in index


@pytest.mark.parametrize("marks", [b"", b"{", b"[1]", b'{"index.html": 3, "../jobs/x": "", "index_2.html": null}'])
def test_damaged_marks_of_the_list_are_as_none(paths, marks):
    update(paths, record("a"))
    (paths.jobs / "report" / "index.json").write_bytes(marks)
    (paths.jobs / "x").write_bytes(b"precious")
    (paths.reports / "index.html").write_text("old", encoding="utf-8")
    assert 'href="a_report.html"' in update(paths, record("a"))
    assert (paths.jobs / "x").is_file()


def test_warnings_of_how_an_image_was_made_stay_when_it_is_kept(paths):
    update(paths, record("a", warnings=("pixels of no size",)))
    update(paths, record("a", status="kept", warnings=("changed by somebody",)))
    update(paths, record("a", status="kept"))
    page = (paths.reports / "a_report.html").read_text(encoding="utf-8")
    assert "pixels of no size" in page
    assert "changed by somebody" not in page
    update(paths, record("a"))
    assert "pixels of no size" not in (paths.reports / "a_report.html").read_text(encoding="utf-8")


def test_images_are_told_of_as_they_are_finished(paths):
    told = []
    records = [record(name) for name in "abc"]
    update_report(paths, records, "abc", workers=2, advance=lambda: told.append(1))
    assert len(told) == 3


def test_damaged_facts_are_as_none(paths):
    update(paths, record("a"), record("b"))
    for path in (paths.jobs / "report").iterdir():
        path.write_bytes(b"garbage")
    see(paths, "a", look())
    (paths.jobs / "report" / "a.look.json").write_bytes(b"{}")
    index = update(paths, record("a"))
    assert 'href="a_report.html"' in index
    assert 'href="b_report.html"' not in index


def test_one_file_has_all_pages_and_is_kept_up_to_date(paths):
    see(paths, "a", look())
    update(paths, record("a"), record("b", error="broken", status="failed"), single_file=True)
    single = paths.reports / "report.html"
    text = single.read_text(encoding="utf-8")
    assert "_report.html" not in text
    assert {match[1] for match in re.finditer(r'href="#([^"]+)"', text)} <= set(re.findall(r'id="([^"]+)"', text)) | {
        "numbers"
    }
    assert text.count("<section") == 2
    assert "broken" in text
    before = single.stat()
    update(paths, record("a", status="kept"))
    assert single.stat() == before
    region = RegionRecord(name="Tumour <1>", pixels=4e6, cells=12, nuclei=11)
    update(paths, record("a", regions=(region,), tissue=TissueRecord(skipped=0.25, picture="UklGRg==")))
    assert "Tumour &lt;1&gt;" in single.read_text(encoding="utf-8")
    assert "25 % of the image" in single.read_text(encoding="utf-8").replace("25%", "25 %")
    update(paths, record("c", warnings=("faint",)))
    assert "faint" in single.read_text(encoding="utf-8")
    single.unlink()
    update(paths, record("a", warnings=("dim",)))
    assert not single.exists()


def test_pages_beside_a_file_that_could_not_be_written_are_not_taken_for_changed(paths):
    update(paths, record("a"))
    in_the_way = paths.reports / "report.html" / "folder"
    in_the_way.mkdir(parents=True)
    with pytest.raises(StorageError, match=r"report\.html"):
        update(paths, record("a", cells=5), single_file=True)
    in_the_way.rmdir()
    in_the_way.parent.rmdir()
    told = []
    update(paths, record("a", cells=6), single_file=True, tell=told.append)
    assert told == []
