"""Fixtures shared by the whole suite."""

import faulthandler
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from cellscale.errors import ModelError
from cellscale.weights.catalogue import INSTANSEG, MESMER
from cellscale.weights.resolve import installed_model

# The first example of a test may have to compile a kernel.
settings.register_profile("cellscale", deadline=None)
settings.load_profile("cellscale")

# A shell without job control has what it starts with "&" ignore Ctrl-C, and all that it starts in turn.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LEAVING_SECONDS = 300

SERVICES = {"bigquery_emulator", "browser", "cloud", "cluster", "gcs_proxy", "s3_proxy", "store"}
"""Fixtures that start a server or a browser."""


def pytest_collection_modifyitems(config, items):
    """Mark what starts a server or a browser, which the quick tests leave out; leave out what takes an hour."""
    for item in items:
        if not SERVICES.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.service)
    if "hostile" not in config.option.markexpr:
        hostile = [item for item in items if item.get_closest_marker("hostile")]
        config.hook.pytest_deselected(items=hostile)
        items[:] = [item for item in items if not item.get_closest_marker("hostile")]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown():
    """Give tearing down a clock of its own: those of pytest and its plugin stop when a test has failed."""
    faulthandler.dump_traceback_later(LEAVING_SECONDS, file=sys.__stderr__, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images and reference arrays beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data are not beside this checkout: {SHARED} does not exist")
    return SHARED


def _installed(model):
    try:
        return installed_model(model).path
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mesmer_path() -> Path:
    """The installed Mesmer weights."""
    return _installed(MESMER)


@pytest.fixture(scope="session")
def instanseg_path() -> Path:
    """The installed InstanSeg weights."""
    return _installed(INSTANSEG)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Path of a tiny network that finds bright spots."""
    from tests.predict.tiny_network import write_tiny_network

    return write_tiny_network(tmp_path_factory.mktemp("tiny") / "tiny.onnx")


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A dataset with an image of 16,384 pixels a side, masks and a table of cells, not to be changed."""
    from tests.viewer.datasets import large_dataset

    return large_dataset(tmp_path_factory.mktemp("large") / "data")


@pytest.fixture
def small_disk():
    """A maker of disks that hold so many bytes and no more.

    They lie outside of pytest's own folders: a disk that a killed run left mounted there would fail every later run,
    which cannot clear it away.
    """
    with ExitStack() as mounted:

        def make(size):
            disk = Path(tempfile.mkdtemp(prefix="cellscale-disk-"))
            mounted.callback(disk.rmdir)
            try:
                subprocess.run(
                    ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)],
                    check=True,
                    capture_output=True,
                )
            except (OSError, subprocess.CalledProcessError) as error:
                pytest.skip(f"mounting a small disk is not permitted here: {error}")
            mounted.callback(subprocess.run, ["umount", "--lazy", str(disk)], check=True)
            return disk

        yield make
