"""Images that are worked on side by side give what they give one after another, whatever happens on the way."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import pyarrow.parquet as pq
import pytest
import tifffile

from cellscale.engines import local
from cellscale.engines.before_work import seen_images
from cellscale.engines.flow import Loading, Need, needs_of, work_through
from cellscale.engines.flow.slots import WAITING
from cellscale.engines.preflight import choose_model, find_images
from cellscale.errors import RequestError, StorageError
from cellscale.pipeline import image as one_image
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ImageFinished, ImageStarted, Notice, StageStarted, ignore
from cellscale.pipeline.measuring import project_entry, write_tables
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import AreaChoice, NetworkChoice, Outputs, Request, Resources
from cellscale.workspace.layout import workspace_paths
from tests.cli.runs import contents
from tests.pipeline.spots import spots, write_dataset

IMAGES = [f"core{number}" for number in range(7)]
BROKEN = "core3"
WORKERS = 4


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Small images, one of which ends in the middle of its pixels, and an image that is worked on alone."""
    root = tmp_path_factory.mktemp("side") / "dataset"
    write_dataset(root, **{name: spots((150 + 40 * number, 200), number) for number, name in enumerate(IMAGES)})
    write_dataset(root, core9=spots((1100, 2000), 9))
    _break(root / "OMETIFF" / f"{BROKEN}.ome.tiff")
    return root


def _break(file):
    """Damage the last rows of the pixels, which only reading them tells."""
    planes = tifffile.imread(file)
    tifffile.imwrite(
        file,
        planes,
        compression="zlib",
        rowsperstrip=16,
        photometric="minisblack",
        ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "Membrane"]}, "PhysicalSizeX": 0.5},
    )
    with tifffile.TiffFile(file) as tiff:
        place = tiff.pages[0].dataoffsets[-1]
    with file.open("r+b") as stream:
        stream.seek(place)
        stream.write(b"no deflate")


def request(root, model, workers=WORKERS, **changes):
    settings = {
        "paths": workspace_paths(root),
        "network": NetworkChoice(path=str(model), device="cpu"),
        "resources": Resources(workers=workers),
        "outputs": Outputs(visualize=True),
    }
    return Request(**(settings | changes))


def results(root):
    """Return the outputs; of the project also the list, whose times are those of the images."""
    found = contents(*(root / folder for folder in ("SEGMASK", "REPORTS", "PROJ")))
    return {name: found[name] for name in found if not name.endswith("cellscale.json")}


def without_outputs(root):
    for folder in ("SEGMASK", "REPORTS", "PROJ", "jobs"):
        shutil.rmtree(root / folder, ignore_errors=True)
    return root


@pytest.fixture(scope="module")
def expected(dataset, tiny_model):
    """Outcome and outputs of a run with one worker, which works on one image after another."""
    outcome = local.run(request(without_outputs(dataset), tiny_model, workers=1), ignore)
    found = results(dataset)
    without_outputs(dataset)
    return outcome, found


class Listener:
    """Keeps what it is told, and how many images were at work at once."""

    def __init__(self):
        self.events = []
        self.at_work, self.most = set(), 0
        self._inside = threading.Lock()

    def __call__(self, event):
        assert self._inside.acquire(blocking=False), "told two events at once"
        self.events.append(event)
        if isinstance(event, ImageStarted):
            self.at_work.add(event.image)
        elif isinstance(event, ImageFinished):
            self.at_work.discard(event.image)
        self.most = max(self.most, len(self.at_work))
        self._inside.release()

    def notices(self):
        return [event for event in self.events if isinstance(event, Notice) and event.image]


def without_costs(outcome):
    facts = ("image", "status", "cells", "nuclei", "outputs", "notes", "warnings", "error")
    return [tuple(getattr(image, name) for name in facts) for image in outcome.images]


@pytest.mark.slow
def test_all_bytes_and_outcomes_are_those_of_one_after_another(dataset, expected, tiny_model):
    listener = Listener()
    outcome = local.run(request(without_outputs(dataset), tiny_model), listener)
    assert 2 <= listener.most <= WORKERS + WAITING
    found = results(dataset)
    assert found.keys() == expected[1].keys()
    assert [name for name in found if found[name] != expected[1][name]] == []
    assert without_costs(outcome) == without_costs(expected[0])
    assert [image.image for image in outcome.failed] == [BROKEN]
    again = local.run(request(dataset, tiny_model), ignore)
    assert {image.status for image in again.images} == {"kept", "failed"}
    assert results(dataset) == found


@pytest.mark.slow
def test_images_that_wait_for_a_slow_one_leave_their_workers_to_others(dataset, expected, tiny_model, monkeypatch):
    measure, all_begun = one_image.measure_image, threading.Event()

    def measure_later(run, *arguments, **settings):
        if run.image == "core0":
            assert all_begun.wait(100), "the others need workers of images that only wait"
        return measure(run, *arguments, **settings)

    def listen(event):
        if isinstance(event, ImageStarted) and event.image == IMAGES[-1]:
            all_begun.set()

    monkeypatch.setattr(one_image, "measure_image", measure_later)
    outcome = local.run(request(without_outputs(dataset), tiny_model, workers=2), listen)
    found = results(dataset)
    assert [name for name in found if found[name] != expected[1][name]] == []
    assert without_costs(outcome) == without_costs(expected[0])


@pytest.mark.slow
def test_failed_images_keep_no_workers_from_those_whose_turn_it_is(dataset, tiny_model, monkeypatch):
    """The second image needs two workers, waits for the first, and is not entered; others fail before their turn."""
    write, enter, others_failed = write_tables.write_reports, project_entry.write_entry, threading.Event()
    needs = {name: Need(2 if name in IMAGES[1:3] else 1, 0) for name in IMAGES}

    def write_some(run, *arguments):
        if run.image in IMAGES[2:]:
            if run.image == IMAGES[4]:
                others_failed.set()
            raise StorageError("no room for tables")
        write(run, *arguments)

    def enter_some(folder, data, *others):
        if IMAGES[0] in str(data.image):
            assert others_failed.wait(30)
            time.sleep(0.2)  # they wait for their turn by then
        if IMAGES[1] in str(data.image):
            raise StorageError("no room in the project")
        return enter(folder, data, *others)

    monkeypatch.setattr(local, "needs_of", lambda *_, **__: needs)
    monkeypatch.setattr(write_tables, "write_reports", write_some)
    monkeypatch.setattr(project_entry, "write_entry", enter_some)
    outcomes = []
    asked = request(without_outputs(dataset), tiny_model)
    thread = threading.Thread(target=lambda: outcomes.append(local.run(asked, ignore)), daemon=True)
    thread.start()
    thread.join(200)
    assert not thread.is_alive(), "images wait for each other"
    found = {image.image: image.status for image in outcomes[0].images}
    assert found[IMAGES[0]] == "done"
    assert {found[name] for name in IMAGES[1:]} == {"failed"}


@pytest.mark.slow
def test_people_read_of_one_image_after_another(dataset, tiny_model):
    listener = Listener()
    local.run(request(without_outputs(dataset), tiny_model), listener)
    told = [notice.image for notice in listener.notices() if notice.level != "error"]
    assert told == sorted(told)
    assert {notice.image for notice in listener.notices()} == {*IMAGES, "core9"}


@pytest.mark.slow
def test_a_large_image_is_worked_on_alone(dataset, tiny_model):
    listener = Listener()
    local.run(request(without_outputs(dataset), tiny_model), listener)
    starts = {event.image: place for place, event in enumerate(listener.events) if isinstance(event, ImageStarted)}
    ends = {event.image: place for place, event in enumerate(listener.events) if isinstance(event, ImageFinished)}
    assert all(ends[name] < starts["core9"] for name in IMAGES)


@pytest.mark.slow
def test_the_costs_of_images_add_up_to_that_of_the_run(dataset, tiny_model):
    clock, processor = time.perf_counter(), time.process_time()
    outcome = local.run(request(without_outputs(dataset), tiny_model), ignore)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    assert 0.5 * processor < sum(image.processor_seconds for image in outcome.images) <= processor
    assert sum(image.seconds for image in outcome.images) <= clock
    for image in outcome.images:
        # Labels and the network, tables and the project go on at the same time.
        each = [stage for stage in image.stages if stage.stage not in ("network", "project")]
        assert sum(stage.seconds for stage in each) <= image.seconds
        assert sum(stage.processor_seconds for stage in each) <= image.processor_seconds
        assert image.facts.workers == WORKERS
    rows = pq.read_table(next((dataset / "jobs" / "benchmarks").iterdir())).to_pylist()
    beside = {row["input_file_id"]: row["side_by_side"] for row in rows}
    assert beside["core9"] == 1
    assert all(2 <= beside[name] <= WORKERS for name in IMAGES)


class _Killed(BaseException):
    """The process ends here."""


@pytest.mark.slow
@pytest.mark.parametrize(("image", "stage"), [("core1", "measurement"), ("core4", "network"), ("core2", "project")])
def test_a_run_that_is_stopped_anywhere_goes_on_with_the_same_bytes(image, stage, dataset, expected, tiny_model):
    def listen(event):
        if isinstance(event, StageStarted) and (event.image, event.stage) == (image, stage):
            raise _Killed

    with pytest.raises(_Killed):
        local.run(request(without_outputs(dataset), tiny_model), listen)
    assert not [one for one in threading.enumerate() if one.name.startswith("cellscale-image")]
    assert results(dataset) != expected[1]
    outcome = local.run(request(dataset, tiny_model), ignore)
    found = results(dataset)
    assert {name for name in found if found[name] != expected[1][name]} <= {"project.qpproj.backup"}
    assert [image.image for image in outcome.failed] == [BROKEN]


@pytest.mark.slow
def test_a_wrong_request_ends_the_run_once_images_at_work_are_finished(dataset, expected, tiny_model, monkeypatch):
    process = local.process_image

    def refused(entry, *arguments):
        if entry.name == "core1":
            raise RequestError("nobody can do that")
        return process(entry, *arguments)

    monkeypatch.setattr(local, "process_image", refused)
    listener = Listener()
    with pytest.raises(RequestError, match="nobody can do that"):
        local.run(request(without_outputs(dataset), tiny_model), listener)
    started = [event.image for event in listener.events if isinstance(event, ImageStarted)]
    finished = {event.image for event in listener.events if isinstance(event, ImageFinished)}
    assert "core0" in finished
    assert "core1" not in finished
    assert "core9" not in started
    monkeypatch.setattr(local, "process_image", process)
    local.run(request(dataset, tiny_model), ignore)
    found = results(dataset)
    assert {name for name in found if found[name] != expected[1][name]} <= {"project.qpproj.backup"}


def test_a_stop_of_the_calling_thread_ends_images_at_work(monkeypatch):
    begun, given_up = threading.Barrier(2), threading.Event()
    begins, seen = [], []

    def work(name, budget, rest):
        if name == "alone":
            raise AssertionError("begins while others are at work")
        seen.append((name, budget.workers, budget.run_workers))
        begun.wait(10)
        assert given_up.wait(10)
        raise _Killed

    class Stopping(threading.Event):
        def wait(self, timeout=None):
            if len(seen) < 2:
                return True
            raise KeyboardInterrupt

    def give_up(error):
        assert isinstance(error, KeyboardInterrupt)
        given_up.set()

    needs = {name: Need(1, 10) for name in "abc"}
    with pytest.raises(KeyboardInterrupt):
        work_through(
            ["a", "b", "c", "alone"],
            needs,
            begins.append,
            work,
            Budget(2, 4 * 10**9),
            is_ready=Stopping(),
            give_up=give_up,
        )
    assert begins == ["a", "b"], "in their order, and none that is not worked on"
    assert sorted(seen) == [("a", 1, 2), ("b", 1, 2)]


def test_dry_runs_and_regions_of_the_project_are_one_after_another(dataset, tiny_model):
    asked = request(without_outputs(dataset), tiny_model)
    budget = Budget(WORKERS, 8 * 10**9)
    model = choose_model(asked)
    infos = seen_images(asked, find_images(asked), budget, ignore, model).infos
    assert needs_of(asked, infos, model, budget).keys() == set(IMAGES)
    assert needs_of(asked, infos, None, budget).keys() == set(IMAGES)
    assert needs_of(asked, infos, model, Budget(1, 8 * 10**9)) == {}
    assert needs_of(asked, infos, model, Budget(WORKERS, 1_350_000_000)) == {}
    assert needs_of(asked, infos, replace(model, arithmetic="cuda float32"), budget) == {}
    assert needs_of(replace(asked, dry_run=True), infos, model, budget) == {}
    assert needs_of(replace(asked, area=AreaChoice(regions="qupath")), infos, model, budget) == {}


def test_one_network_is_loaded_once(tiny_model):
    loaded = []

    def load():
        time.sleep(0.05)
        loaded.append(object())
        return loaded[-1]

    loading = Loading(Model("", cache(load)))
    assert not loading.is_over.is_set()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: loading(), range(8)))
    assert found == loaded * 8
    assert loading.is_over.is_set()
