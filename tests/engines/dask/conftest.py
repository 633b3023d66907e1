"""A cluster, and what the local engine makes of the images that it is given."""

import logging
from contextlib import suppress

import dask
import pytest
from distributed import Client, LocalCluster

from cellscale.engines.dask import image_steps
from tests.cli.runs import run
from tests.engines.dask.clusters import PRELOAD
from tests.patience import HANGS
from tests.pipeline.spots import spots, write_dataset

LARGE = spots((1000, 1300), seed=9)
SMALL = {f"small{index}": spots((200 + 30 * index, 260), seed=index) for index in range(4)}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Two worker processes, one thread each."""
    facts = {"distributed.scheduler.allowed-failures": 1, "distributed.deploy.lost-worker-timeout": "1 hour"}
    with dask.config.set(facts):
        cluster = LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit="3GB",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            preload=[str(PRELOAD)],
            local_directory=str(tmp_path_factory.mktemp("dask")),
        )
        try:
            yield cluster
        finally:
            with suppress(TimeoutError):
                cluster.close(timeout=60)


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.wait_for_workers(2, timeout=HANGS)
        yield client


@pytest.fixture
def small_shares(monkeypatch):
    """Share out images that would be one task."""
    monkeypatch.setattr(image_steps, "WHOLE", 1)
    monkeypatch.setattr(image_steps, "GROUPS", 1)
    monkeypatch.setattr(image_steps, "BLOCKS", 1)


@pytest.fixture(scope="session")
def by_local_engine(tmp_path_factory, tiny_model):
    """A dataset with all its outputs, which was named ``dataset`` when they were made."""
    dataset = write_dataset(tmp_path_factory.mktemp("local") / "dataset", large=LARGE, **SMALL)
    assert run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset).exit_code == 0
    return dataset.rename(dataset.with_name("finished"))


@pytest.fixture(scope="session")
def dask_run(cluster, tiny_model):
    """A function that works on a dataset with the cluster."""

    def work_on(dataset, *options, address=None, command="segment-and-measure"):
        words = ["--model_path", tiny_model, "--dask_scheduler", address or cluster.scheduler_address]
        return run(command, *words, *options, "workspace", dataset)

    return work_on
