"""A store that is away for a while, and what of that is tried again."""

import json
import logging
from types import SimpleNamespace

import pytest

from cellscale.storage.uri import base_name, join, objects_below, read_bytes
from tests.cli.runs import run
from tests.engines.tasks.cloud import lines, sent, spec_for, task
from tests.pipeline.spots import spots, write_dataset
from tests.storage.servers import BUCKET

TRY_AGAIN = 75


@pytest.fixture
def store(gcs_proxy, monkeypatch):
    """The proxy of a store whose client is not as patient as usual."""

    async def pause(seconds):
        """Do not wait."""

    monkeypatch.setattr("gcsfs.retry.asyncio", SimpleNamespace(sleep=pause))
    monkeypatch.setattr(logging.getLogger("gcsfs"), "disabled", True)  # it shows tracebacks of its own
    yield gcs_proxy
    gcs_proxy.fail = lambda method, path, body: None


@pytest.fixture
def place(store, tmp_path):
    root = write_dataset(tmp_path / "d", alpha=spots((90, 80)))
    return sent(root, f"gs://{BUCKET}/{tmp_path.name}")


def away(word, status=503):
    """Return a failure of all requests with a word in them."""
    return lambda method, path, body: status if word in path or word.encode() in body[:300] else None


def results(spec):
    return objects_below(f"{spec.rpartition('/')[0]}/results")


@pytest.mark.parametrize("word", ["alpha.ome.tiff", "results", "tasks.json", "SEGMASK"])
@pytest.mark.parametrize("form", ["json", "text"])
def test_a_task_that_finds_no_store_is_tried_again(word, form, store, place, tiny_model) -> None:
    spec = spec_for(place, tiny_model)
    store.fail = away(word)
    ended = task("segment-image", spec, 0, log_format=form)
    assert ended.exit_code == TRY_AGAIN, ended
    assert "cannot be reached for now" in ended.stdout + ended.stderr
    store.fail = away("nothing")
    assert results(spec) == []
    assert task("segment-image", spec, 0).exit_code == 0


def test_a_network_that_cannot_be_fetched_for_now_is_tried_again(store, place, tiny_model) -> None:
    sent(tiny_model.parent, f"{place}/models")
    spec = spec_for(place, join(place, "models", base_name(tiny_model)))
    store.fail = away(base_name(tiny_model))
    assert task("segment-image", spec, 0).exit_code == TRY_AGAIN
    store.fail = away("nothing")
    assert results(spec) == []


def test_the_last_try_leaves_a_result(store, place, tiny_model, monkeypatch) -> None:
    spec = spec_for(place, tiny_model)
    monkeypatch.setenv("CELLSCALE_RETRIES", "3")
    store.fail = away("alpha.ome.tiff")
    monkeypatch.setenv("BATCH_TASK_RETRY_ATTEMPT", "2")
    assert task("segment-image", spec, 0).exit_code == TRY_AGAIN
    monkeypatch.setenv("BATCH_TASK_RETRY_ATTEMPT", "3")
    assert task("segment-image", spec, 0).exit_code == 1
    error = json.loads(read_bytes(join(place, "jobs", "run-1", "results", "segment-image", "0.json")))["outcome"][
        "error"
    ]
    assert "alpha.ome.tiff" in error
    assert "cannot be reached for now" in error


def test_what_does_not_pass_fails_the_image_at_once(store, place, tiny_model) -> None:
    spec = spec_for(place, tiny_model)
    store.fail = away("alpha.ome.tiff", 403)
    ended = task("segment-image", spec, 0)
    assert ended.exit_code == 1
    assert "permission denied" in lines(ended.stdout)[-1]["message"]
    store.fail = away("nothing")
    assert results(spec) == ["segment-image/0.json"]


def test_the_end_of_a_run_is_tried_again(store, place, tiny_model) -> None:
    spec = spec_for(place, tiny_model)
    for word in ("segment-image", "measure-image"):
        assert task(word, spec, 0).exit_code == 0
    for word in ("project.qpproj", "outcome.json"):
        store.fail = away(word)
        assert task("finish", spec).exit_code == TRY_AGAIN, word
    store.fail = away("nothing")
    assert task("finish", spec).exit_code == 0


@pytest.mark.parametrize("form", ["json", "text"])
def test_steps_from_file_to_file_tell_it_as_well(form, store, place, tmp_path) -> None:
    words = {name: f"{place}/{name}.json" for name in ("preprocess", "prediction", "postprocess")}
    options = [part for name, uri in words.items() for part in (f"--{name}_benchmarking_uri", uri)]
    missing = run("stage", "gather-benchmark", "--log_format", form, *options)
    assert missing.exit_code == 1
    assert "does not exist" in missing.stdout + missing.stderr
    store.fail = away("preprocess.json")
    assert run("stage", "gather-benchmark", "--log_format", form, *options).exit_code == TRY_AGAIN
    store.fail = away("image.npz")
    files = ["--image_uri", f"{place}/image.npz", "--output_uri", tmp_path / "input.npz"]
    assert run("stage", "preprocess", "--log_format", form, *files).exit_code == TRY_AGAIN
