"""What workers do, one task at a time."""

from cellscale.engines.dask import worker_tasks
from cellscale.engines.dask.worker_tasks import Job
from cellscale.weights.checksum import file_checksum
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.engines.dask.conftest import SMALL
from tests.patience import HANGS
from tests.pipeline.spots import write_dataset
from tests.predict.tiny_network import tiny_network
from tests.requests import request_for


def test_a_worker_keeps_the_network_for_the_next_run_and_dataset(tmp_path, client, tiny_model):
    def loads():
        return client.run(lambda: worker_tasks._loaded.cache_info().misses)

    def plan(name, **options):
        request = request_for(workspace_paths(write_dataset(tmp_path / name, small=SMALL["small0"])), **options)
        (entry,) = discover(request.paths)
        for worker in client.nthreads():
            future = client.submit(worker_tasks.plan, Job(request, name), entry, workers=[worker], pure=False)
            assert future.result(timeout=HANGS).missing_blocks

    plan("first", model_path=str(tiny_model))
    before = loads()
    plan("second", model_path=str(tiny_model), measure=False)
    assert loads() == before
    plan("third", model_path=str(tiny_model), compartments=("nuclear",))
    assert loads() == {worker: count + 1 for worker, count in before.items()}


def test_a_model_file_that_was_replaced_is_loaded_by_the_next_run(tmp_path, client, tiny_model):
    model = tmp_path / "model.onnx"
    found = []
    for run in ("first", "second"):
        model.write_bytes(tiny_model.read_bytes() if run == "first" else tiny_network(surround=25))
        request = request_for(
            workspace_paths(write_dataset(tmp_path / run, small=SMALL["small0"])), model_path=str(model)
        )
        (entry,) = discover(request.paths)
        (worker, *_) = client.nthreads()
        client.submit(worker_tasks.plan, Job(request, run), entry, workers=[worker], pure=False).result(timeout=HANGS)
        found.append(
            client.run(lambda job: worker_tasks._checked(job).sha256, Job(request, run), workers=[worker])[worker]
        )
    assert found == [file_checksum(tiny_model).digest, file_checksum(model).digest]
