"""A run's list of tasks and their results: there and back, compact, strict."""

import json
import time

import pytest

from cellscale.engines.tasks.results import (
    TaskResult,
    finished_tasks,
    read_result,
    read_results,
    write_result,
)
from cellscale.engines.tasks.spec import RunSpec, read_spec, run_folder, write_spec
from cellscale.errors import RequestError
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import Request
from cellscale.records.stage_cost import StageRecord
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import workspace_paths


def spec(dataset, count=3, images=None):
    entries = tuple(
        ImageEntry(
            name=f"image{i}",
            image=f"{images or dataset}/OMETIFF/image{i}.ome.tiff",
            size=10**9 + i,
            marker=str(10**15 + i),
        )
        for i in range(count)
    )
    return RunSpec(run="run-1", request=Request(paths=workspace_paths(dataset)), entries=entries)


@pytest.mark.parametrize("dataset", ["local", "memory://spec/dataset"])
def test_there_and_back(tmp_path, dataset) -> None:
    written = spec(str(tmp_path) if dataset == "local" else dataset)
    location = write_spec(written)
    assert str(location) == f"{run_folder(written)}/tasks.json"
    assert read_spec(location).request == written.request
    assert [(e.name, str(e.image), e.marker) for e in read_spec(location).entries] == [
        (e.name, str(e.image), e.marker) for e in written.entries
    ]


def test_thousands_of_images_are_read_in_no_time(tmp_path) -> None:
    location = write_spec(spec(tmp_path, 10_000, images="gs://bucket/folder/dataset"))
    assert location.stat().st_size < 2_000_000
    start = time.process_time()
    assert len(read_spec(location).entries) == 10_000
    assert time.process_time() - start < 5


def test_there_are_no_other_tasks(tmp_path) -> None:
    assert spec(tmp_path).entry(2).name == "image2"
    for index in (-1, 3):
        with pytest.raises(RequestError, match="tasks 0 to 2"):
            spec(tmp_path).entry(index)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts: facts.pop("entries"), "expected the keys"),
        (lambda facts: facts.update(more=1), "expected the keys"),
        (lambda facts: (facts.pop("options"), facts.update(version="0.1.9")), "written by cellscale 0.1.9: use that"),
        (lambda facts: facts.update(entries={}), "entries a list"),
        (lambda facts: facts["entries"][1].update(nmae="x"), "entry 1.*nmae"),
        (lambda facts: facts["entries"][1].pop("name"), "entry 1.*name"),
        (lambda facts: facts["request"].update(format=7), "format 7"),
    ],
)
def test_lists_that_are_none(tmp_path, change, words) -> None:
    location = write_spec(spec(tmp_path))
    facts = json.loads(location.read_text())
    change(facts)
    location.write_text(json.dumps(facts))
    with pytest.raises(RequestError, match=words):
        read_spec(location)
    location.write_text("{")
    with pytest.raises(RequestError, match="no list of tasks"):
        read_spec(location)
    location.unlink()
    with pytest.raises(RequestError, match="does not exist"):
        read_spec(location)


@pytest.mark.parametrize("place", ["local", "memory://results/run"])
def test_results_come_back_in_order(tmp_path, place) -> None:
    folder = tmp_path if place == "local" else place
    assert finished_tasks(folder, "segment-image") == set()
    outcome = ImageOutcome(
        image="é 中", status="failed", error="why", seconds=1 / 3, stages=(StageRecord("network", 0.1, 5, 6, 0.7),)
    )
    results = [TaskResult(task="segment-image", index=index, outcome=outcome, host="vm") for index in (0, 2, 10)]
    for result in reversed(results):
        write_result(folder, result)
    assert finished_tasks(folder, "segment-image") == {0, 2, 10}
    assert finished_tasks(folder, "measure-image") == set()
    assert list(read_results(folder, "segment-image")) == results
    assert list(read_results(folder, "segment-image", {2})) == results[1:2]


def test_a_result_that_is_none(tmp_path) -> None:
    write_result(tmp_path, TaskResult(task="measure-image", index=0, outcome=ImageOutcome(image="a", status="done")))
    path = tmp_path / "results" / "measure-image" / "0.json"
    path.write_text(path.read_text().replace('"done"', '"dome"'))
    with pytest.raises(RequestError, match=r"outcome\.status"):
        read_result(tmp_path, "measure-image", 0)
