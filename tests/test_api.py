"""The Python interface gives what the command line gives."""

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal, get_overloads, get_type_hints

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
import zarr
from numpy.typing import NDArray

import cellscale
from cellscale.errors import ChannelError, ImageError, MaskError, ModelError, RequestError
from cellscale.label.growth import Growth
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from tests.pipeline.spots import spots, write_dataset
from tests.predict.seed_network import seed_network
from tests.predict.torch_network import torch_network


@pytest.fixture(scope="module")
def planes():
    return spots((300, 350), seed=4)


def test_the_module_names_its_interface_alone():
    assert dir(cellscale) == ["Segmentation", "Tuning", "__version__", "measure", "open_image", "segment", "tune"]
    assert all(hasattr(cellscale, name) for name in dir(cellscale))


def test_type_checkers_know_which_masks_are_there():
    told = [get_type_hints(one) for one in get_overloads(cellscale.segment)]
    labels = NDArray[np.int32]
    known = {tuple(hints["return"].__args__): hints["compartments"] for hints in reversed(told)}
    assert set(known) == {
        (labels, labels), (labels, type(None)), (type(None), labels), (labels | None, labels | None)
    }  # fmt: skip
    assert known[labels, type(None)] == Literal["whole-cell"] | tuple[Literal["whole-cell"]]
    assert known[labels, labels] == (
        tuple[Literal["whole-cell"], Literal["nuclear"]] | tuple[Literal["nuclear"], Literal["whole-cell"]]
    )


def test_the_columns_of_a_table_have_the_types_of_the_documentation(planes):
    cells = np.pad(np.ones((8, 8), np.int32), ((100, 192), (100, 242)))
    table = cellscale.measure(planes, cells, channel_names=["a", "b"], image_mpp=0.5)
    types = {field.name: str(field.type) for field in table.schema}
    assert {types.pop(name) for name in ("Image", "Object ID", "Object type")} == {"string"}
    assert {types.pop(name) for name in ("Cell label", "Nucleus label")} == {"uint32"}
    assert {types.pop(name) for name in ("Centroid X µm", "Centroid Y µm")} == {"double"}
    assert set(types.values()) == {"float"}
    assert table["Nucleus label"].null_count == 1


@pytest.mark.slow
def test_an_array_gives_the_masks_of_the_command_line(tmp_path, tiny_model, planes):
    dataset = write_dataset(tmp_path, image=planes)
    words = ["segment-and-measure", "--model_path", str(tiny_model), "workspace", str(dataset)]
    subprocess.run([sys.executable, "-m", "cellscale", *words], check=True, capture_output=True)
    found = cellscale.segment(
        planes, channel_names=["DAPI", "Membrane"], image_mpp=0.5, model_path=str(tiny_model), workers=2
    )
    for name, labels in (("WholeCell", found.whole_cell), ("Nucleus", found.nucleus)):
        np.testing.assert_array_equal(tifffile.imread(dataset / "SEGMASK" / f"image_{name}Mask.tiff"), labels)
    image = cellscale.open_image(dataset / "OMETIFF" / "image.ome.tiff")
    table = cellscale.measure(image, found.whole_cell, found.nucleus)
    image.close()
    written = pq.read_table(dataset / "REPORTS" / "image_QUANT.parquet")
    assert table.drop(["Image"]).equals(written.drop(["Image"]))


def test_channels_are_chosen_by_name_or_position(tiny_model, planes):
    both = [
        cellscale.segment(
            planes[::-1],
            channel_names=["a", "b"],
            nuclear_channel=nuclear,
            membrane_channel=membrane,
            model_path=str(tiny_model),
        )
        for nuclear, membrane in (("b", "a"), ("#2", "#1"))
    ]
    np.testing.assert_array_equal(both[0].whole_cell, both[1].whole_cell)
    with pytest.raises(ChannelError, match="no channel 'c'"):
        cellscale.segment(planes, channel_names=["a", "b"], nuclear_channel="c", model_path=str(tiny_model))


def test_one_compartment_leaves_the_other_out(tiny_model, planes):
    found = cellscale.segment(
        planes, channel_names=["DAPI", "x"], compartments=["nuclear"], model_path=str(tiny_model)
    )
    assert found.whole_cell is None
    assert found.nucleus is not None
    assert found.nucleus.max() > 0
    assert set(found.certificates) == {"nuclear"}


@pytest.mark.parametrize("compartments", [(), ("nucleus",), "cell", ("whole-cell", "nuclei"), ("whole_cell",)])
def test_compartments_of_other_names_are_refused_with_the_right_ones(tiny_model, planes, compartments):
    with pytest.raises(RequestError, match="'whole-cell' or 'nuclear' expected"):
        cellscale.segment(
            planes, channel_names=["DAPI", "Membrane"], model_path=str(tiny_model), compartments=compartments
        )


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [
        ("combine", "median", "'sum' or 'max' or 'mean'"),
        ("rescale_channels", None, "'none' or 'percentile'"),
        ("precision", "float16", "'float32' or 'fp16' or 'bf16'"),
        ("max_memory", "4GB", r"bytes, such as 4 \* 10\*\*9"),
        ("workers", "2", "a number of threads"),
    ],
)
def test_arguments_that_cannot_be_are_refused_with_what_they_may_be(tiny_model, planes, argument, value, expected):
    words = {"channel_names": ["DAPI", "Membrane"], "model_path": str(tiny_model), argument: value}
    for find in (cellscale.segment, cellscale.tune):
        with pytest.raises(RequestError, match=f"{argument}: {value!r} found; {expected}"):
            find(planes, **words)


def test_a_measurement_by_rules_that_are_not_there_is_refused(planes):
    cells = np.ones(planes.shape[1:], np.int32)
    for words in ({"matching": "largest"}, {"qupath_version": "0.6"}, {"qupath_version": 0.7}, {"workers": 1.5}):
        with pytest.raises(RequestError, match=f"{next(iter(words))}: .* found; .* expected"):
            cellscale.measure(planes, cells, channel_names=["a", "b"], **words)


def test_a_compartment_may_be_named_alone(tiny_model, planes):
    found = cellscale.segment(
        planes, channel_names=["DAPI", "Membrane"], image_mpp=0.5, model_path=str(tiny_model), compartments="nuclear"
    )
    assert found.whole_cell is None
    assert found.nucleus.any()


def test_a_mask_of_another_size_is_refused(planes):
    with pytest.raises(MaskError, match=r"\(300, 349\).*\(300, 350\)"):
        cellscale.measure(planes, np.zeros((300, 349), np.int32))


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, cellscale; print({'numba', 'numpy', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("mask", [np.full((64, 64), 0.5), np.full((64, 64), -1), np.full((64, 64), 1j)])
def test_a_mask_that_is_no_labels_is_refused(mask) -> None:
    with pytest.raises(MaskError, match="not a label mask"):
        cellscale.measure(np.zeros((1, 64, 64)), mask)


def test_masked_arrays_are_refused() -> None:
    masked = np.ma.masked_less(np.zeros((64, 64)), 1)
    with pytest.raises(ImageError, match="masked array"):
        cellscale.measure(masked, np.ones((64, 64), int))
    with pytest.raises(MaskError, match="masked array"):
        cellscale.measure(np.zeros((1, 64, 64)), masked)


def test_a_channel_is_no_bare_number() -> None:
    with pytest.raises(RequestError, match="a position is written '#1'"):
        cellscale.segment(np.zeros((2, 64, 64)), nuclear_channel=0)


@pytest.mark.parametrize(
    "source",
    [None, 7, b"image.tif", [[1, 2], [3, 4]], zarr.array(np.zeros((2, 2))), zarr.open_group({}), io.BytesIO()],
)
def test_what_is_no_image_is_refused(source) -> None:
    for use in (cellscale.open_image, lambda source: cellscale.measure(source, np.zeros((2, 2), int))):
        with pytest.raises(RequestError, match=r"found, an image expected: a path, a URI, a numpy array"):
            use(source)


def test_arrays_of_other_libraries_are_told_how_to_become_images() -> None:
    with pytest.raises(RequestError, match=r"Array found, .* a numpy array \(numpy.asarray makes one of it"):
        cellscale.open_image(zarr.array(np.zeros((2, 2))))


@pytest.mark.parametrize("mask", [[[1, 1], [1, 1]], "mask.tif", Path("mask.tif"), 7])
def test_what_is_no_array_is_no_mask(mask) -> None:
    with pytest.raises(MaskError, match=f"the nucleus mask is a {type(mask).__name__}; an array of labels expected"):
        cellscale.measure(np.zeros((1, 2, 2)), nucleus=mask)


def test_a_mask_may_be_an_array_that_lies_in_a_file(planes) -> None:
    cells = np.zeros(planes.shape[1:], np.int32)
    cells[10:20, 10:20], cells[40:50, 30:44] = 1, 2
    stored = zarr.array(cells, chunks=(64, 64))
    assert cellscale.measure(planes, stored).equals(cellscale.measure(planes, cells))


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [
        ("preprocessing", None, "Preprocessing"),
        ("preprocessing", "mesmer", "Preprocessing"),
        ("whole_cell", {}, "Parameters"),
        ("nuclear", 0.1, "Parameters"),
        ("model", 3, "a name, a path or a URI"),
        ("model_path", b"x.onnx", "a path or a URI"),
        ("model_hash", 3, "a text"),
        ("device", None, "a name"),
        ("listener", None, "a function"),
    ],
)
def test_arguments_of_another_type_are_refused(planes, argument, value, expected) -> None:
    with pytest.raises(RequestError, match=f"^{argument}: .* found; .*{expected}.* expected"):
        cellscale.segment(planes, nuclear_channel="#1", **{argument: value})


@pytest.mark.parametrize("region", [(0, 0), (0.5, 0, 20, 20), "0,0,20,20", 7, (0, 0, None, 20)])
def test_a_crop_is_four_whole_numbers(planes, region) -> None:
    with pytest.raises(RequestError, match=r"region: .* found; x, y, width and height in whole pixels expected"):
        cellscale.tune(planes, region)


def test_a_network_may_be_named_by_a_path_object(tmp_path, planes) -> None:
    with pytest.raises(ModelError, match="there is no model file at"):
        cellscale.segment(planes, model=tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="there is no model file at"):
        cellscale.tune(planes, model_path=tmp_path / "none.onnx")


@pytest.mark.parametrize("size", ["0.5", [0.5], True, 0, float("nan")])
def test_a_pixel_size_is_a_number_above_0(size, tiny_model) -> None:
    pixels = np.zeros((2, 64, 64), np.uint16)
    with pytest.raises(RequestError, match="a number of micrometres a pixel above 0 expected"):
        cellscale.segment(pixels, nuclear_channel="#1", model_path=str(tiny_model), image_mpp=size)
    with pytest.raises(RequestError, match="a number of micrometres a pixel above 0 expected"):
        cellscale.measure(pixels, np.zeros((64, 64), int), image_mpp=size)


@pytest.mark.parametrize("names", [[None, "b"], [1, 2], "ab", 7, [["a"], "b"]])
def test_names_of_channels_that_are_no_texts_are_refused(names) -> None:
    with pytest.raises(ImageError, match="a list of 2 texts expected"):
        cellscale.measure(np.zeros((2, 64, 64)), np.zeros((64, 64), int), channel_names=names)


def test_an_empty_hash_of_a_model_is_refused() -> None:
    with pytest.raises(RequestError, match="is not a hash"):
        cellscale.segment(np.zeros((2, 64, 64)), nuclear_channel="#1", model_hash="")
    with pytest.raises(RequestError, match="2 is not a length; write for example 3um or 5px"):
        cellscale.segment(np.zeros((2, 64, 64)), nuclear_channel="#1", expand_cells=2)


def test_a_crop_that_is_not_in_the_image_leaves_nothing_behind(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    words = {"channel_names": ["DAPI", "Membrane"], "model_path": str(tiny_model), "workers": 1}
    with pytest.raises(RequestError, match="the crop reaches from x 100 to 300"):
        cellscale.tune(spots((200, 220), seed=8), (100, 100, 200, 200), **words)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_tuned_crop_has_the_cells_of_the_whole_image(tiny_model):
    planes = spots((200, 220), seed=8)
    words = {"channel_names": ["DAPI", "Membrane"], "model_path": str(tiny_model)}
    with cellscale.tune(planes, (0, 0, 220, 200), workers=1, nuclear_channel="DAPI", **words) as tuning:
        first = tuning.labels()
        found = tuning.labels(nuclear=Parameters(maxima_threshold=0.4), expand_cells="2px")
        with pytest.raises(RequestError, match="unexpected keyword argument 'threshold'"):
            tuning.labels(threshold=1)
    whole = cellscale.segment(
        planes, nuclear=Parameters(maxima_threshold=0.4), expand_cells=Growth(length=2), workers=1, **words
    )
    np.testing.assert_array_equal(found.labels["whole-cell"], whole.whole_cell)
    np.testing.assert_array_equal(found.labels["nuclear"], whole.nucleus)
    change = found.change_from(first, "nuclear")
    assert change.same + change.changed + change.new == len(found.areas("nuclear"))


@pytest.mark.slow
def test_a_tuned_crop_begins_with_the_values_of_the_networks_authors(tmp_path):
    planes = spots((200, 220), seed=8)
    (tmp_path / "torch.onnx").write_bytes(torch_network())
    how = {"channel_names": ["DAPI", "Membrane"], "image_mpp": 0.5, "workers": 1}
    how |= {"model": "torch-mesmer", "model_path": tmp_path / "torch.onnx"}
    with cellscale.tune(planes, (0, 0, 220, 200), **how) as tuning:
        first, mesmers, again = (
            tuning.labels(**words) for words in ({}, {"whole_cell": WHOLE_CELL}, {"whole_cell": None})
        )
    whole = cellscale.segment(planes, **how)
    for found in (first, again):
        np.testing.assert_array_equal(found.labels["whole-cell"], whole.whole_cell)
    assert not np.array_equal(mesmers.labels["whole-cell"], whole.whole_cell)
    (tmp_path / "spots.onnx").write_bytes(seed_network())
    with pytest.raises(RequestError, match=r"whose labels depend on thresholds; this one has none.*--regions"):
        cellscale.tune(planes, model=tmp_path / "spots.onnx", channel_names=["DAPI", "Membrane"])


def test_networks_of_other_kinds_are_chosen_by_file_or_name(tmp_path, planes):
    (tmp_path / "spots.onnx").write_bytes(seed_network())
    (tmp_path / "torch.onnx").write_bytes(torch_network())
    image = planes[:, :150, :150]
    how = {"channel_names": ["DAPI", "Membrane"], "image_mpp": 0.5, "workers": 1}
    paired = cellscale.segment(image, model=str(tmp_path / "spots.onnx"), **how)
    assert paired.nucleus.max() > 10
    np.testing.assert_array_equal(paired.whole_cell[paired.nucleus > 0], paired.nucleus[paired.nucleus > 0])
    successor = cellscale.segment(image, model="torch-mesmer", model_path=str(tmp_path / "torch.onnx"), **how)
    assert successor.whole_cell.max() > 10
    with pytest.raises(RequestError, match="nuclear: these arguments are for networks like Mesmer"):
        cellscale.segment(image, model=str(tmp_path / "spots.onnx"), nuclear=NUCLEUS, **how)
    with pytest.raises(ModelError, match="torch-mesmer cannot be fetched"):
        cellscale.segment(image, model="torch-mesmer", **how)
