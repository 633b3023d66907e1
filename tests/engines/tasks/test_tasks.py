"""Runs whose images are tasks of their own: the same files, and the truth about each image."""

import json

import pytest

from cellscale.engines.tasks.results import read_results
from cellscale.storage.uri import base_name, delete, join, objects_below
from cellscale.workspace.layout import picture_name
from tests.cli.runs import OUTPUTS, run
from tests.engines.tasks.cloud import download, lines, sent, spec_for, task
from tests.pipeline.spots import spots, write_dataset
from tests.storage.servers import BUCKET


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two images and a broken one."""
    folder = write_dataset(
        tmp_path_factory.mktemp("tasks") / "dataset", alpha=spots((300, 260)), beta=spots((420, 300), seed=1)
    )
    (folder / "OMETIFF" / "broken.ome.tiff").write_bytes(b"nothing")
    return folder


@pytest.fixture(scope="module")
def reference(dataset, tiny_model, tmp_path_factory):
    """The files of a run on one machine."""
    folder = tmp_path_factory.mktemp("reference") / "dataset"
    folder.mkdir()
    (folder / "OMETIFF").symlink_to(dataset / "OMETIFF")
    assert run("segment-and-measure", "--model_path", tiny_model, "workspace", folder).exit_code == 1
    return folder


@pytest.fixture(params=["gs", "s3", "local"])
def place(request, tmp_path):
    """An empty place for a dataset."""
    if request.param == "local":
        return tmp_path / "dataset"
    request.getfixturevalue({"gs": "gcs_proxy", "s3": "s3_proxy"}[request.param])
    return f"{request.param}://{BUCKET}/{tmp_path.name}"


def all_tasks(spec, count):
    words = [(word, index) for word in ("segment-image", "measure-image") for index in range(count)]
    return {(word, index): task(word, spec, index).exit_code for word, index in words}


def copied(dataset, place):
    if isinstance(place, str):
        return sent(dataset, place)
    place.mkdir()
    (place / "OMETIFF").symlink_to(dataset / "OMETIFF")
    return place


def results_of(folder, word):
    """Return what a task with one image says of it, but its costs."""
    (result,) = read_results(folder / "jobs" / "run-1", word)
    told = ("status", "cells", "nuclei", "unmatched_nuclei", "outputs")
    return {name: getattr(result.outcome, name) for name in told} | {"place": result.place}


def found(place):
    if isinstance(place, str):
        return download(place)
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_same_files_as_on_one_machine(place, dataset, reference, tiny_model) -> None:
    spec = spec_for(copied(dataset, place), tiny_model)
    codes = all_tasks(spec, 3)
    assert {key: code for key, code in codes.items() if code} == {
        ("segment-image", 2): 1,
        ("measure-image", 2): 1,
    }
    ended = task("finish", spec, log_format="text")
    assert ended.exit_code == 1
    assert "broken" in ended.stderr
    files = found(place)
    for image in ("alpha", "beta"):
        for output in OUTPUTS:
            assert files[output.format(image)] == (reference / output.format(image)).read_bytes(), output
    project = json.loads(files["PROJ/project.qpproj"])
    assert [entry["imageName"] for entry in project["images"]] == ["alpha.ome.tiff", "beta.ome.tiff"]
    assert all(f"PROJ/data/{entry['entryID']}/data.qpdata" in files for entry in project["images"])
    if not isinstance(place, str):
        assert project["createTimestamp"] == int((place / "OMETIFF" / "alpha.ome.tiff").stat().st_mtime * 1000)
    assert len(json.loads(files["PROJ/project.qpproj.backup"])["images"]) == 1  # as images come one by one elsewhere
    outcome = json.loads(files["jobs/run-1/outcome.json"])
    assert [image["status"] for image in outcome["images"]] == ["done", "done", "failed"]
    assert [name for name in files if name.startswith("jobs/benchmarks/")]
    assert not [name for name in files if name.startswith(("jobs/alpha.", "jobs/beta."))]


def test_a_task_that_was_done_is_not_done_again(tmp_path, dataset, tiny_model) -> None:
    spec = spec_for(copied(dataset, tmp_path / "dataset"), tiny_model)
    assert task("segment-image", spec, 0).exit_code == 0
    again = task("segment-image", spec, 0)
    assert again.exit_code == 0
    assert [line["message"] for line in lines(again.stdout)] == ["alpha: segment-image: done before"]


def test_what_was_not_segmented_is_not_measured(tmp_path, dataset, tiny_model) -> None:
    spec = spec_for(copied(dataset, tmp_path / "dataset"), tiny_model)
    assert task("measure-image", spec, 0).exit_code == 1
    ended = task("finish", spec)
    assert ended.exit_code == 1
    told = {line["image"]: line["message"] for line in lines(ended.stdout)}
    assert "alpha: its segmentation did not end" in told["alpha"]


@pytest.mark.slow
def test_masks_that_are_there_are_measured(tmp_path, dataset, tiny_model) -> None:
    folder = copied(dataset, tmp_path / "dataset")
    assert run("segment", "--model_path", tiny_model, "workspace", folder).exit_code == 1
    spec = spec_for(folder, tiny_model, segment=False, image_filter="a")
    assert task("measure-image", spec, 0).exit_code == 0
    assert task("finish", spec).exit_code == 0
    project = json.loads((folder / "PROJ" / "project.qpproj").read_text())
    assert len(project["images"]) == 1


@pytest.mark.slow
def test_a_later_run_adds_to_the_project_and_keeps_what_is_done(tmp_path, dataset, tiny_model) -> None:
    folder = copied(dataset, tmp_path / "dataset")
    for name in ("a", "b"):
        spec = spec_for(folder, tiny_model, run=f"run-{name}", image_filter=name + ("" if name == "a" else "e"))
        all_tasks(spec, 1)
        assert task("finish", spec).exit_code == 0
    spec = spec_for(folder, tiny_model, run="run-all")
    all_tasks(spec, 3)
    task("finish", spec)
    project = json.loads((folder / "PROJ" / "project.qpproj").read_text())
    assert [(entry["imageName"], entry["entryID"]) for entry in project["images"]] == [
        ("alpha.ome.tiff", 1),
        ("beta.ome.tiff", 2),
    ]
    results = list(read_results(folder / "jobs" / "run-all", "measure-image"))
    assert [result.outcome.status for result in results] == ["kept", "kept", "failed"]


def test_a_task_whose_machine_was_lost_before_it_could_tell_is_done_not_kept(tmp_path, dataset, tiny_model) -> None:
    folder = copied(dataset, tmp_path / "dataset")
    spec = spec_for(folder, tiny_model, image_filter="alpha", visualize=True)
    all_tasks(spec, 1)
    first = {word: results_of(folder, word) for word in ("segment-image", "measure-image")}
    delete(join(folder, "jobs", "run-1", "results", "segment-image", "0.json"))
    delete(join(folder, "jobs", "run-1", "results", "measure-image", "0.json"))
    all_tasks(spec, 1)
    assert {word: results_of(folder, word) for word in first} == first
    assert [facts["status"] for facts in first.values()] == ["done", "done"]


@pytest.mark.slow
def test_a_run_whose_end_never_came_is_taken_up_by_the_next(tmp_path, dataset, tiny_model) -> None:
    folder = copied(dataset, tmp_path / "dataset")
    all_tasks(spec_for(folder, tiny_model, run="lost", image_filter="be"), 1)
    spec = spec_for(folder, tiny_model, run="next")
    all_tasks(spec, 3)
    task("finish", spec)
    project = json.loads((folder / "PROJ" / "project.qpproj").read_text())
    assert [entry["imageName"] for entry in project["images"]] == ["alpha.ome.tiff", "beta.ome.tiff"]


def test_the_end_of_a_run_may_be_repeated(tmp_path, dataset, tiny_model) -> None:
    folder = copied(dataset, tmp_path / "dataset")
    spec = spec_for(folder, tiny_model, image_filter="alpha")
    all_tasks(spec, 1)
    assert task("finish", spec).exit_code == 0
    before = found(folder)
    assert task("finish", spec).exit_code == 0
    assert found(folder) == before


def test_weights_come_from_the_bucket_once(gcs_proxy, dataset, tiny_model, tmp_path) -> None:
    import hashlib

    place = sent(dataset, f"gs://{BUCKET}/weights")
    sent(tiny_model.parent, f"{place}/models")
    digest = hashlib.sha256(tiny_model.read_bytes()).hexdigest()
    uri = join(place, "models", base_name(tiny_model))
    spec = spec_for(place, uri, model_hash=digest)
    gcs_proxy.requests.clear()
    assert task("segment-image", spec, 0).exit_code == 0
    assert gcs_proxy.count("models", "GET") > 0
    gcs_proxy.requests.clear()
    assert task("segment-image", spec, 1).exit_code == 0
    assert gcs_proxy.count("models", "GET") == 0
    delete(uri)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"index": 7}, "there is no task 7"),
        ({"index": 0, "model": "gs://nobody/none.onnx"}, "does not exist"),
        ({"index": 0, "model_hash": "0" * 64}, "is not the one that --model_hash names"),
    ],
)
def test_a_wrong_request_is_told_for_all(gcs_proxy, tmp_path, dataset, tiny_model, words, message) -> None:
    index, model = words.pop("index"), words.pop("model", tiny_model)
    spec = spec_for(copied(dataset, tmp_path / "dataset"), model, **words)
    ended = task("segment-image", spec, index)
    assert ended.exit_code == 2
    last = lines(ended.stdout)[-1]
    assert last["severity"] == "ERROR"
    assert message in last["message"]


def test_a_list_that_is_not_there(tmp_path) -> None:
    ended = task("segment-image", tmp_path / "none.json", 0)
    assert ended.exit_code == 2
    assert "does not exist" in lines(ended.stdout)[0]["message"]


def test_the_machine_names_the_task(tmp_path, dataset, tiny_model, monkeypatch) -> None:
    spec = spec_for(copied(dataset, tmp_path / "dataset"), tiny_model)
    assert "BATCH_TASK_INDEX" in task("segment-image", spec).stderr
    monkeypatch.setenv("BATCH_TASK_INDEX", "2")
    assert task("segment-image", spec).exit_code == 1
    assert objects_below(f"file://{tmp_path}/dataset/jobs/run-1/results") == ["segment-image/2.json"]


STAGES = ("preprocess", "predict", "postprocess", "shapes", "measure", "visualize", "gather-benchmark")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gs", "local"])
def test_stages_one_by_one_make_the_same_files(kind, request, dataset, reference, tiny_model, tmp_path) -> None:
    if kind == "gs":
        request.getfixturevalue("gcs_proxy")
    place = f"gs://{BUCKET}/{tmp_path.name}" if kind == "gs" else tmp_path / "dataset"
    spec = spec_for(copied(dataset, place), tiny_model, stages="separate", visualize=True)
    for index in range(2):
        for word in STAGES:
            assert task(word, spec, index).exit_code == 0, word
            assert task(word, spec, index).exit_code == 0, word
    assert [task(word, spec, 2).exit_code for word in STAGES] == [1, 1, 1, 1, 1, 1, 0]
    assert task("finish", spec).exit_code == 1
    files = found(place)
    for image in ("alpha", "beta"):
        for output in OUTPUTS:
            assert files[output.format(image)] == (reference / output.format(image)).read_bytes(), output
    record = json.loads(files["jobs/run-1/benchmarks/0.json"])
    assert record["preprocessing_success"]
    assert record["prediction_success"]
    assert record["postprocessing_success"]
    assert record["prediction_time_s"] > 0
    assert not [name for name in files if name.startswith(("jobs/alpha.", "jobs/beta."))]
    outcome = json.loads(files["jobs/run-1/outcome.json"])
    assert [image["status"] for image in outcome["images"]] == ["done", "done", "failed"]
    assert "not a TIFF" in outcome["images"][2]["error"]


def test_pictures_by_themselves_are_a_part_of_the_outcome(dataset, tiny_model, tmp_path) -> None:
    folder = copied(dataset, tmp_path / "dataset")
    spec = spec_for(folder, tiny_model, stages="separate", visualize=True, report=False, image_filter="alpha")

    def ended():
        code = task("finish", spec).exit_code
        (image,) = json.loads((folder / "jobs" / "run-1" / "outcome.json").read_text())["images"]
        return code, image

    for word in ("segment-image", "measure-image"):
        assert task(word, spec, 0).exit_code == 0
    code, image = ended()
    assert (code, image["status"]) == (1, "failed")
    assert "its visualization did not end" in image["error"]
    in_the_way = folder / "jobs" / "report"
    in_the_way.write_bytes(b"no folder")
    assert task("visualize", spec, 0).exit_code == 1
    code, image = ended()
    assert (code, image["status"]) == (1, "failed")
    assert str(in_the_way) in image["error"]
    in_the_way.unlink()
    assert task("visualize", spec, 0).exit_code == 0
    code, image = ended()
    assert (code, image["status"]) == (0, "done")
    assert str(folder / "REPORTS" / picture_name("alpha", "overlay")) in image["outputs"]
    assert image["unmatched_nuclei"] is not None


@pytest.mark.parametrize("stopped_after", range(1, 4))
def test_a_stage_that_was_left_out_is_made_up_for(stopped_after, dataset, reference, tiny_model, tmp_path) -> None:
    spec = spec_for(copied(dataset, tmp_path / "dataset"), tiny_model, stages="separate", image_filter="alpha")
    for word in STAGES[stopped_after - 1 : 3]:
        assert task(word, spec, 0).exit_code == 0
    for mask in ("SEGMASK/alpha_WholeCellMask.tiff", "SEGMASK/alpha_NucleusMask.tiff"):
        assert (tmp_path / "dataset" / mask).read_bytes() == (reference / mask).read_bytes()


def test_intermediates_are_kept_in_the_bucket(gcs_proxy, dataset, tiny_model, tmp_path) -> None:
    import zarr

    place = sent(dataset, f"gs://{BUCKET}/{tmp_path.name}")
    spec = spec_for(place, tiny_model, keep_intermediates=True, image_filter="alpha")
    assert task("segment-image", spec, 0).exit_code == 0
    for name, content in download(join(place, "jobs", "intermediates", "alpha.zarr")).items():
        (tmp_path / "zarr" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "zarr" / name).write_bytes(content)
    group = zarr.open_group(tmp_path / "zarr", mode="r")
    assert group["maps"].shape == (4, 300, 260)
    assert float(group["preprocessed"][...].max()) == 1.0
    assert not list((tmp_path / "cache").rglob("*.zarr"))
