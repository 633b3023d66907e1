"""A dataset through runs, options, edits, kills, deletions, moves and copies: all in it is explained."""

import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cellscale.storage.content import content_of
from cellscale.workspace.record import Ledger
from tests.cli.runs import TABLES, run
from tests.pipeline.spots import spots, write_dataset, write_image
from tests.predict.tiny_network import write_tiny_network

pytestmark = pytest.mark.slow

IMAGES = ("a", "b")
SUFFIXES = {"tiff": (".tiff",), "ome-zarr": (".ome.zarr",), "both": (".tiff", ".ome.zarr")}
FORMATS = st.sampled_from(sorted(SUFFIXES))
THRESHOLDS = st.sampled_from([None, "0.3"])
MATCHINGS = st.sampled_from(["one-to-one", "qupath-initializer"])
SEEDS = st.integers(0, 2)
NAMES = st.sampled_from(IMAGES)
MADE: dict[tuple, dict[str, str]] = {}
"""Hashes of the outputs of a first run, by images and options."""


LIVED: list[float] = []
"""When lives ended: `pytest -s` shows how far many of them are."""


class Killed(BaseException):
    """Ends a run as a power cut would."""


class Life(RuleBasedStateMachine):
    """What may happen to a dataset."""

    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp(prefix="cellscale-life-"))
        self.model = write_tiny_network(self.root / "tiny.onnx")
        self.dataset = self.root / "dataset"
        self.moves = 0
        self.seeds = dict.fromkeys(IMAGES, 0)
        self.persons = {}
        for name in IMAGES:
            self.put_image(self.dataset, name, 0)

    def teardown(self):
        shutil.rmtree(self.root, ignore_errors=True)
        LIVED.append(time.monotonic())
        print(f"life {len(LIVED)} after {LIVED[-1] - LIVED[0]:.0f} s", flush=True)

    @rule(mask_format=FORMATS, threshold=THRESHOLDS, matching=MATCHINGS)
    def work(self, mask_format, threshold, matching):
        done = self.run(self.dataset, mask_format, threshold, matching)
        assert done.exit_code == 0 or (done.exit_code == 1 and self.persons), done.stderr
        self.check(done, mask_format, threshold, matching)

    @rule(
        mask_format=FORMATS, threshold=THRESHOLDS, matching=MATCHINGS, commits=st.integers(0, 9), late=st.booleans()
    )
    def killed(self, mask_format, threshold, matching, commits, late):
        with suppress(Killed), stopped_at(commits, late=late):
            self.run(self.dataset, mask_format, threshold, matching)

    @rule(name=NAMES, seed=SEEDS)
    def replace_image(self, name, seed):
        self.put_image(self.dataset, name, seed)
        self.seeds[name] = seed

    @rule(data=st.data())
    def delete(self, data):
        files = [path for path in self.files() if path not in self.persons]
        if files:
            self.remove(data.draw(st.sampled_from(files)))

    @rule(data=st.data(), zeros=st.booleans())
    def empty(self, data, zeros):
        """A power cut leaves files of no bytes, or of nothing but zeros."""
        files = [path for path in self.files() if path not in self.persons]
        if files:
            path = self.dataset / data.draw(st.sampled_from(files))
            if path.is_dir():
                shutil.rmtree(path)
                path.mkdir()
            else:
                path.write_bytes(bytes(path.stat().st_size if zeros else 0))

    @rule(name=NAMES)
    def damage_record(self, name):
        path = self.dataset / "jobs" / "records" / f"{name}.json"
        if path.exists():
            path.write_bytes(path.read_bytes().replace(b'"complete"', b'"compl', 1))

    @rule(name=NAMES, table=st.sampled_from(TABLES))
    def edit(self, name, table):
        path = self.dataset / table.format(name)
        if path.exists():
            path.write_bytes(path.read_bytes() + b"a person's")
            self.persons[table.format(name)] = path.read_bytes()

    @precondition(lambda self: self.persons)
    @rule()
    def put_away(self):
        """A person moves away what was theirs."""
        for name in self.persons:
            self.remove(name)
        self.persons = {}

    @rule()
    def touch(self):
        for path in self.dataset.rglob("*"):
            os.utime(path, (1, 1))

    @rule()
    def move(self):
        self.moves += 1
        self.dataset = self.dataset.rename(self.root / f"moved{self.moves}")

    @rule()
    def copy(self):
        self.moves += 1
        copied = shutil.copytree(self.dataset, self.root / f"copy{self.moves}", copy_function=shutil.copyfile)
        shutil.rmtree(self.dataset)
        self.dataset = copied

    @invariant()
    def nothing_of_a_persons_is_lost(self):
        for name, content in getattr(self, "persons", {}).items():
            assert (self.dataset / name).read_bytes() == content

    def check(self, done, mask_format, threshold, matching):
        """Check that all that is there is explained, and what was asked for is as of a first run."""
        expected = self.first_run(mask_format, threshold, matching)
        for name in self.files():
            if name in self.persons:
                assert str(self.dataset / name) in done.stdout, "what is a person's is named"
            else:
                assert self.explained(name), f"no record explains {name}"
        for name, content in expected.items():
            if name not in self.persons:
                assert content_of(self.dataset / name) == content, name
        project = json.loads((self.dataset / "PROJ" / "project.qpproj").read_text(encoding="utf-8"))
        assert sorted(entry["imageName"] for entry in project["images"]) == [f"{name}.ome.tiff" for name in IMAGES]
        again = self.run(self.dataset, mask_format, threshold, matching)
        assert set(again.statuses.values()) <= {"kept", "failed"}, again.stdout

    def explained(self, name):
        image = name.partition("/")[2].partition("_")[0]
        ledger = Ledger(self.dataset / "jobs", image)
        return any(ledger.made(task, self.dataset / name) for task in ("segmentation", "measurement"))

    def first_run(self, *options):
        key = (tuple(self.seeds.values()), options)
        if key not in MADE:
            folder = self.root / "first"
            for name, seed in self.seeds.items():
                self.put_image(folder, name, seed)
            assert self.run(folder, *options).exit_code == 0
            MADE[key] = {name: content_of(folder / name) for name in outputs(folder)}
            shutil.rmtree(folder)
        return MADE[key]

    def run(self, dataset, mask_format, threshold, matching):
        words = ["--mask_format", mask_format, "--matching", matching, "--workers", "1", "--no_report"]
        if threshold is not None:
            words += ["--whole_cell_maxima_threshold", threshold]
        return run("segment-and-measure", "--model_path", self.model, *words, "workspace", dataset)

    def put_image(self, dataset, name, seed):
        write_image(dataset / "OMETIFF" / f"{name}.ome.tiff", spots((64, 64 + IMAGES.index(name)), seed=seed))

    def files(self):
        return outputs(self.dataset)

    def remove(self, name):
        path = self.dataset / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def outputs(dataset):
    """Return the names of masks and tables."""
    folders = [folder for folder in (dataset / "SEGMASK", dataset / "REPORTS") if folder.is_dir()]
    return sorted(str(path.relative_to(dataset)) for folder in folders for path in folder.iterdir())


@contextmanager
def stopped_at(commits, *, late):
    """End the run at a commit of a record: before it, or when it is written."""
    write, left = Ledger.write, [commits]

    def stop(ledger):
        left[0] -= 1
        if left[0] >= 0:
            write(ledger)
            return
        if late and left[0] == -1:
            write(ledger)
        raise Killed

    Ledger.write = stop
    try:
        yield
    finally:
        Ledger.write = write


def lives(examples, steps):
    """Live some lives; what fails is told with the shortest way to it."""
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_short_life():
    lives(2, 5)


@pytest.mark.hostile
@pytest.mark.timeout(4 * 3600)
def test_many_long_lives():
    lives(int(os.environ.get("CELLSCALE_LIVES", "100")), 20)


def test_what_two_killed_runs_had_begun_is_not_left_behind(tiny_model, tmp_path):
    dataset = write_dataset(tmp_path, a=spots((64, 64), seed=1))
    words = ["--no_report", "--model_path", tiny_model]
    for mask_format, commits, late in [("ome-zarr", 1, False), ("tiff", 0, True)]:  # at its end, and when it begins
        with pytest.raises(Killed), stopped_at(commits, late=late):
            run("segment", "--mask_format", mask_format, *words, "workspace", dataset)
    assert (dataset / "SEGMASK" / "a_NucleusMask.ome.zarr").is_dir()
    assert run("segment", "--compartment", "whole-cell", *words, "workspace", dataset).exit_code == 0
    assert sorted(path.name for path in (dataset / "SEGMASK").iterdir() if path.name[0] != ".") == [
        "a_WholeCellMask.tiff"
    ]
