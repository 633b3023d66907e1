"""Stages from file to file, with the words of deepcell-imaging's scripts: together they make the masks of a run."""

import io
import json

import numpy as np
import pytest
import tifffile

from cellscale.images.npz import NpzArray, write_npz
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import join, read_bytes
from tests.cli.runs import MASKS, run
from tests.pipeline.spots import spots
from tests.predict.seed_network import seed_network
from tests.predict.torch_network import torch_network
from tests.storage.servers import BUCKET

SHAPE = (330, 290)


@pytest.fixture(scope="module")
def image():
    """Rows x columns x (nucleus, membrane)."""
    return np.moveaxis(spots(SHAPE, seed=4), 0, 2)


def masks_of_a_run(folder, image, model, *options):
    """Return the masks that one run makes of an NPZ file."""
    (folder / "run" / "NPZ_INTERMEDIATE").mkdir(parents=True)
    np.savez(folder / "run" / "NPZ_INTERMEDIATE" / "image.npz", input_channels=image)
    done = run("segment", "--model_path", model, *options, "workspace", folder / "run")
    assert done.exit_code == 0
    return [tifffile.imread(folder / "run" / mask.format("image")) for mask in MASKS]


def step(word, **files):
    words = [part for name, value in files.items() for part in (f"--{name}", str(value))]
    return run("stage", word, *words)


def chain(place, model, image_uri, mpp=None, **arrays):
    """Run all stages, and return the place of what each wrote."""
    places = {name: str(join(place, "out", name)) for name in ("input.npz", "maps.npz", "labels.npz", "cells.tiff")}
    costs = {name: str(join(place, "costs", f"{name}.json")) for name in ("preprocess", "prediction", "postprocess")}
    size = {} if mpp is None else {"image_mpp": mpp}
    done = [
        step(
            "preprocess",
            image_uri=image_uri,
            output_uri=places["input.npz"],
            benchmark_output_uri=costs["preprocess"],
            **size,
            **arrays,
        ),
        step(
            "predict",
            image_uri=places["input.npz"],
            output_uri=places["maps.npz"],
            model_path=model,
            batch_size=2,
            benchmark_output_uri=costs["prediction"],
        ),
        step(
            "postprocess",
            raw_predictions_uri=places["maps.npz"],
            input_rows=SHAPE[0],
            input_cols=SHAPE[1],
            compartment="both",
            output_uri=places["labels.npz"],
            wholecell_tiff_output_uri=places["cells.tiff"],
            benchmark_output_uri=costs["postprocess"],
        ),
    ]
    assert [one.exit_code for one in done] == [0, 0, 0], [one.stdout for one in done]
    return places, costs


def arrays_of(place):
    with np.load(io.BytesIO(read_bytes(place)), allow_pickle=False) as loaded:
        return dict(loaded)


@pytest.mark.parametrize("mpp", [None, 0.4])
def test_the_masks_of_a_run(tmp_path, image, tiny_model, mpp) -> None:
    np.savez_compressed(tmp_path / "image.npz", pixels=image, other=np.zeros(3))
    places, _ = chain(tmp_path, tiny_model, tmp_path / "image.npz", mpp, image_array_name="pixels")
    expected = masks_of_a_run(tmp_path, image, tiny_model, "--image_mpp", mpp or 0.5)
    labels = arrays_of(places["labels.npz"])["image"]
    assert (labels.shape, labels.dtype) == ((1, *SHAPE, 2), np.int32)
    for index in range(2):
        np.testing.assert_array_equal(labels[0, ..., index], expected[index])
    np.testing.assert_array_equal(tifffile.imread(places["cells.tiff"]), expected[0])
    rows, columns = SHAPE if mpp is None else (round(side * 0.8) for side in SHAPE)
    assert arrays_of(places["input.npz"])["image"].shape == (1, rows, columns, 2)
    maps = arrays_of(places["maps.npz"])
    assert {name: array.shape for name, array in maps.items()} == {
        f"arr_{index}": (1, rows, columns, 1) for index in range(4)
    }


def test_in_a_bucket_with_pictures_and_costs(gcs_proxy, tmp_path, image, tiny_model) -> None:
    place = f"gs://{BUCKET}/{tmp_path.name}"
    np.savez(tmp_path / "image.npz", input_channels=image)
    write_bytes(join(place, "image.npz"), (tmp_path / "image.npz").read_bytes())
    places, costs = chain(place, tiny_model, join(place, "image.npz"))
    pictures = [join(place, "pictures", name) for name in ("input.png", "predictions.png")]
    drawn = step(
        "visualize",
        image_uri=join(place, "image.npz"),
        predictions_uri=places["labels.npz"],
        visualized_input_uri=pictures[0],
        visualized_predictions_uri=pictures[1],
    )
    assert drawn.exit_code == 0
    assert all(read_bytes(picture).startswith(b"\x89PNG") for picture in pictures)
    gathered = step("gather-benchmark", **{f"{name}_benchmarking_uri": uri for name, uri in costs.items()})
    assert gathered.exit_code == 0
    (told,) = map(json.loads, gathered.stdout.splitlines())
    record = json.loads(told["message"].partition("no table: ")[2])
    for stage in ("preprocessing", "prediction", "postprocessing"):
        assert record[f"{stage}_success"]
        assert record[f"{stage}_time_s"] >= 0
        assert record[f"{stage}_output_write_time_s"] > 0
    assert record["success"]


def test_a_stage_that_fails_says_so_in_its_costs(tmp_path) -> None:
    (tmp_path / "image.npz").write_bytes(b"nothing")
    done = step(
        "preprocess",
        image_uri=tmp_path / "image.npz",
        output_uri=tmp_path / "out.npz",
        benchmark_output_uri=tmp_path / "costs.json",
    )
    assert done.exit_code == 1
    assert not (tmp_path / "out.npz").exists()
    assert not json.loads((tmp_path / "costs.json").read_text())["success"]


def test_what_is_missing_is_named(tmp_path) -> None:
    done = step("preprocess", image_uri=tmp_path / "image.npz")
    assert done.exit_code == 2
    assert "--tasks, or --output_uri" in done.stderr
    done = step("gather-benchmark", preprocess_benchmarking_uri="x")
    assert done.exit_code == 2
    assert "--prediction_benchmarking_uri" in done.stderr


def test_bands_that_do_not_fill_an_array_leave_no_file(tmp_path) -> None:
    bands = [np.zeros((2, 5), np.float32)] * 2
    with pytest.raises(ValueError, match="20 numbers"):
        write_npz(tmp_path / "x.npz", [NpzArray("image", (5, 5), np.dtype(np.float32), bands)])
    assert not list(tmp_path.iterdir())
    write_npz(tmp_path / "x.npz", [NpzArray("image", (4, 5), np.dtype(np.float32), bands)])
    np.testing.assert_array_equal(np.load(tmp_path / "x.npz")["image"], np.zeros((4, 5)))


@pytest.mark.parametrize(
    ("compartment", "option", "other"),
    [
        ("whole-cell", "--nuclear_tiff_output_uri", "nuclear"),
        ("nuclear", "--wholecell_tiff_output_uri", "whole-cell"),
    ],
)
def test_a_mask_of_what_is_not_labelled_is_refused(tmp_path, compartment, option, other) -> None:
    files = ["--raw_predictions_uri", tmp_path / "maps.npz", "--output_uri", tmp_path / "labels.npz"]
    words = [*files, "--input_rows", 10, "--input_cols", 10, "--compartment", compartment, "--log_format", "text"]
    refused = run("stage", "postprocess", *words, option, tmp_path / "mask.tiff")
    refused.explains(option, f"no meaning with --compartment {compartment}", f"take --compartment {other} or both")


@pytest.mark.parametrize(("rows", "columns"), [(290, 330), (330, 200), (300, 290), (660, 290)])
def test_rows_and_columns_that_the_maps_cannot_be_of_are_refused(tmp_path, rows, columns):
    maps = tmp_path / "maps.npz"
    names = [f"arr_{index}" for index in range(4)]
    np.savez(maps, **{name: np.zeros((1, *SHAPE, 1), np.float32) for name in names})
    done = step(
        "postprocess",
        raw_predictions_uri=maps,
        input_rows=rows,
        input_cols=columns,
        output_uri=tmp_path / "labels.npz",
        log_format="text",
    )
    assert done.exit_code == 1
    assert f"maps of 330 x 290 pixels (rows x columns); those of an image of {rows} x {columns}" in done.stderr
    assert not (tmp_path / "labels.npz").exists()


@pytest.mark.slow
def test_a_network_like_instanseg_and_mesmers_successor_make_the_masks_of_a_run(tmp_path, image):
    np.savez(tmp_path / "image.npz", input_channels=image)
    (tmp_path / "seeds.onnx").write_bytes(seed_network())
    (tmp_path / "successor.onnx").write_bytes(torch_network())
    for name, words in (("seeds", {}), ("successor", {"model": "torch-mesmer"})):
        model, place = tmp_path / f"{name}.onnx", tmp_path / name
        network = {**words, "model_path": model}
        uris = {part: str(place / f"{part}.npz") for part in ("input", "maps", "labels")}
        size = {"input_rows": SHAPE[0], "input_cols": SHAPE[1]}
        tiffs = {"wholecell_tiff_output_uri": place / "0.tiff", "nuclear_tiff_output_uri": place / "1.tiff"}
        done = [
            step("preprocess", image_uri=tmp_path / "image.npz", output_uri=uris["input"], image_mpp=0.8, **network),
            step("predict", image_uri=uris["input"], output_uri=uris["maps"], **network),
            step(
                "postprocess", raw_predictions_uri=uris["maps"], output_uri=uris["labels"], compartment="both",
                **words, **size, **tiffs,
            ),
        ]  # fmt: skip
        assert [one.exit_code for one in done] == [0, 0, 0], [one.stdout for one in done]
        options = [part for key, value in words.items() for part in (f"--{key}", value)]
        expected = masks_of_a_run(place, image, model, *options, "--image_mpp", "0.8", "--device", "cpu")
        found = [tifffile.imread(place / f"{index}.tiff") for index in range(2)]
        assert expected[0].max() > 10
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_an_input_that_was_made_for_another_network_is_told(tmp_path, image, tiny_model):
    np.savez(tmp_path / "image.npz", input_channels=image[:40, :50])
    (tmp_path / "seeds.onnx").write_bytes(seed_network())
    for made_for, used_with in (({}, tmp_path / "seeds.onnx"), ({"model_path": tmp_path / "seeds.onnx"}, tiny_model)):
        made = step("preprocess", image_uri=tmp_path / "image.npz", output_uri=tmp_path / "input.npz", **made_for)
        assert made.exit_code == 0, made.stdout
        refused = step(
            "predict", image_uri=tmp_path / "input.npz", output_uri=tmp_path / "maps.npz", model_path=used_with
        )
        assert refused.exit_code == 1
        assert "is the input of a network that is given another than" in refused.stdout + refused.stderr
        assert not (tmp_path / "maps.npz").exists()
