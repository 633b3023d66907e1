"""What workers do, one task at a time."""

from cellscale.engines.dask import tasks
from cellscale.engines.dask.tasks import Job
from cellscale.pipeline.request import Request
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.engines.dask.conftest import SMALL
from tests.pipeline.spots import write_dataset


def test_a_worker_keeps_the_network_for_the_next_run_and_dataset(tmp_path, client, tiny_model):
    def loads():
        return client.run(lambda: tasks._loaded.cache_info().misses)

    def plan(name, **options):
        request = Request(paths=workspace_paths(write_dataset(tmp_path / name, small=SMALL["small0"])), **options)
        (entry,) = discover(request.paths)
        for worker in client.nthreads():
            future = client.submit(tasks.plan, Job(request, name), entry, workers=[worker], pure=False)
            assert future.result(timeout=60).missing_blocks

    plan("first", model_path=str(tiny_model))
    before = loads()
    plan("second", model_path=str(tiny_model), measure=False)
    assert loads() == before
    plan("third", model_path=str(tiny_model), compartments=("nuclear",))
    assert loads() == {worker: count + 1 for worker, count in before.items()}
