"""What is known before anything is computed."""

import shutil
from collections import namedtuple

import pytest

from cellscale.engines import before_work
from cellscale.engines.before_work import failing_first, require_writable
from cellscale.engines.preflight import find_images
from cellscale.errors import StorageError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ImagesSeen, Notice, ignore
from cellscale.pipeline.model import LIKE_INSTANSEG, Model
from cellscale.pipeline.request import ChannelChoice, Request
from cellscale.workspace.layout import workspace_paths
from tests.pipeline.spots import spots, write_dataset, write_image

PLANES = spots((60, 80))


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path, a=PLANES, b=PLANES, c=PLANES)


def checked(dataset, **facts):
    """Return the images in their order, and what was told of them."""
    request, events = Request(paths=workspace_paths(dataset), **facts), []
    ordered = failing_first(request, find_images(request), Budget.choose(), events.append)
    return [entry.name for entry in ordered], events


def test_images_without_their_channels_or_with_an_impossible_pixel_size_come_first(dataset):
    write_image(dataset / "OMETIFF" / "b.ome.tiff", PLANES, ["x", "y"])
    (dataset / "OMETIFF" / "d.tiff").write_text("These are not pixels.")
    names, events = checked(dataset)
    assert names == ["b", "d", "a", "c"]
    assert [name for name, *_ in events[-1].images] == ["a", "c"]
    assert checked(dataset, channels=ChannelChoice(mpp=1000))[0] == ["a", "b", "c", "d"]  # all fail


def test_an_image_of_which_nothing_can_be_known_stops_no_other(dataset, monkeypatch):
    def look(entry):
        raise RuntimeError("a reader of another package")

    monkeypatch.setattr(before_work, "open_entry_image", look)
    assert checked(dataset, segment=False)[0] == ["a", "b", "c"]


def test_measuring_alone_asks_for_no_channels(dataset):
    write_image(dataset / "OMETIFF" / "b.ome.tiff", PLANES, ["x", "y"])
    names, events = checked(dataset, segment=False)
    assert names == ["a", "b", "c"]
    assert [type(event) for event in events] == [ImagesSeen]


def test_what_was_seen_is_told_with_the_network_and_the_size_of_pixels_that_was_given(dataset):
    request, events = Request(paths=workspace_paths(dataset), channels=ChannelChoice(mpp=0.4)), []
    model = Model("", lambda: None, interface=LIKE_INSTANSEG, name="ours")
    failing_first(request, find_images(request), Budget.choose(), events.append, model)
    (seen,) = events
    assert (seen.network, seen.interface) == ("ours", LIKE_INSTANSEG)
    assert [mpp for *_, mpp in seen.images] == [0.4] * 3


def test_a_disk_with_too_little_room_is_told_unless_the_outputs_are_there(dataset, monkeypatch):
    usage = namedtuple("usage", "total used free")(100, 99, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    told = [event for event in checked(dataset)[1] if isinstance(event, Notice)]
    assert len(told) == 1
    assert "3 images may take about" in told[0].text
    outputs = ("SEGMASK/{}_WholeCellMask.tiff", "SEGMASK/{}_NucleusMask.tiff", "REPORTS/{}_QUANT.tsv")
    for output in outputs:
        (dataset / output).parent.mkdir(exist_ok=True)
        for name in "abc":
            (dataset / output.format(name)).touch()
    assert not [event for event in checked(dataset)[1] if isinstance(event, Notice)]


def test_folders_that_cannot_be_written_are_told_before_any_work(dataset, monkeypatch):
    request = Request(paths=workspace_paths(dataset))
    require_writable(request, ignore)
    monkeypatch.setattr(before_work.os, "access", lambda place, mode: place != dataset)
    with pytest.raises(StorageError, match="is read-only for you"):
        require_writable(request, ignore)


def test_a_file_in_the_place_of_a_folder_is_told(dataset):
    (dataset / "REPORTS").write_text("")
    with pytest.raises(StorageError, match=r"REPORTS cannot be made: .*is a file"):
        require_writable(Request(paths=workspace_paths(dataset)), ignore)
    assert not (dataset / "SEGMASK").exists()


def test_a_dry_run_warns_of_a_folder_that_cannot_be_written(dataset):
    (dataset / "REPORTS").write_text("")
    told = []
    require_writable(Request(paths=workspace_paths(dataset), dry_run=True), told.append)
    assert [(notice.level, "is a file" in notice.text) for notice in told] == [("warning", True)]
