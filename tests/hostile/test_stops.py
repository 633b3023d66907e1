"""Signals at the borders of stages: each ends the run within seconds, and the next one ends with the same bytes."""

import os
import shutil
import signal
import sys
from itertools import product

import pytest

from tests.cli.runs import contents, run
from tests.cli.stopped import stopped
from tests.pipeline.spots import spots, write_dataset

pytestmark = [
    pytest.mark.hostile,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are not sent signals there"),
]

SECONDS = 5
BEGINNINGS = (
    "range", "statistics", "equalisation", "network", "labels", "numbering", "masks", "measurement", "tables",
    "project", "pictures",
)  # fmt: skip
INSIDE = ("range", "statistics", "network", "labels", "numbering", "masks", "pictures")
PLACES = (*BEGINNINGS, *(f"{stage}:1" for stage in INSIDE))
SIGNALS = {"ctrl-c": (signal.SIGINT, 1, 130), "twice": (signal.SIGINT, 2, 130), "term": (signal.SIGTERM, 1, 143)}
STOPS = list(product(PLACES, SIGNALS, (1, 2, 3, 4)))
"""Where, how, and with how many workers."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("stops"), first=spots((300, 420)), second=spots((300, 420), seed=1))


@pytest.fixture(scope="module")
def expected(dataset, tiny_model, tmp_path_factory):
    """The outputs of a run that nobody stopped."""
    copy = shutil.copytree(dataset, tmp_path_factory.mktemp("expected") / "dataset")
    assert run(*words(tiny_model, 2), copy).exit_code == 0
    return contents(copy / "SEGMASK", copy / "REPORTS")


def words(model, workers):
    options = ("--model_path", model, "--workers", workers, "--image_mpp", "0.6", "--visualize")
    return ("segment-and-measure", *options, "workspace")


@pytest.mark.parametrize(("place", "how", "workers"), STOPS)
def test_it_stops_and_goes_on(place, how, workers, dataset, tiny_model, expected, tmp_path):
    copy = shutil.copytree(dataset, tmp_path / "dataset")
    number, times, code = SIGNALS[how]
    done = stopped(place, *words(tiny_model, workers), copy, how=number, times=times)
    assert done.exit_code == code, done.output
    assert done.seconds < SECONDS * max(os.getloadavg()[0] / (os.cpu_count() or 1), done.slowness, 1)
    assert "Traceback" not in done.output
    assert "Aborted" not in done.output
    assert run(*words(tiny_model, workers), copy).exit_code == 0
    assert contents(copy / "SEGMASK", copy / "REPORTS") == expected
    shutil.rmtree(copy)
