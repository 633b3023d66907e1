"""Measuring whole images: modes, layouts, large labels, refusals."""

import tempfile
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellscale.cells.matching import Matching
from cellscale.cells.measure import measure
from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.text import Dialect
from cellscale.errors import MaskError
from cellscale.images.info import PixelSize
from tests.cells.scenes import blobs, measured, reader, rings


def everything(cells, nuclei, channels, size=1000, **options) -> list[CellBatch]:
    with measured(cells, nuclei, channels, **options) as measurement:
        return list(measurement.batches(size))


def assert_same(first: CellBatch, second: CellBatch) -> None:
    for name in ("ids", "cell_labels", "nucleus_labels", "nucleus_rows", "values", "absent"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    for name in ("outlines", "nuclei"):
        for part in ("labels", "boxes", "polygon_offsets", "ring_offsets", "vertex_offsets", "vertices"):
            np.testing.assert_array_equal(getattr(getattr(first, name), part), getattr(getattr(second, name), part))


def image(shape, seed=0, channels=3):
    return np.random.default_rng(seed).gamma(1, 300, (channels, *shape)).astype(np.float32)


@pytest.mark.slow
@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 90), st.integers(1, 90), st.integers(1, 3), st.sampled_from(Matching))
def test_results_do_not_depend_on_windows_or_workers(seed, rows, columns, workers, matching):
    cells, nuclei = blobs((60, 80), seed)
    channels = image((60, 80), seed)
    (whole,) = everything(cells, nuclei, channels, matching=matching, workers=1, chunk=(1000, 1000))
    (cut,) = everything(
        cells, nuclei, channels, matching=matching, workers=workers, chunk=(rows, columns), window_pixels=1
    )
    assert_same(whole, cut)


def test_batches_follow_one_another():
    cells, nuclei = blobs((60, 80), 3)
    parts = everything(cells, nuclei, image((60, 80)), size=7)
    (whole,) = everything(cells, nuclei, image((60, 80)))
    assert [part.start for part in parts] == list(range(0, len(whole), 7))
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), whole.values)
    np.testing.assert_array_equal(np.concatenate([part.outlines.vertices for part in parts]), whole.outlines.vertices)
    rows = [len(part.nuclei) for part in parts]
    assert [(part.nucleus_rows >= 0).sum() for part in parts] == rows


def test_an_object_taller_than_a_strip_is_whole():
    cells = np.zeros((64, 9), dtype=np.uint16)
    cells[:, 4], cells[10:12, :3] = 2, 1
    (batch,) = everything(cells, cells, cells[None], chunk=(8, 9), window_pixels=1)
    assert batch.outlines.boxes.tolist() == [[10, 0, 12, 3], [0, 4, 64, 5]]
    assert rings(batch.outlines, 1)[0][0].tolist() == [[4, 0], [4, 64], [5, 64], [5, 0]]


def named(batch: CellBatch, columns, name: str) -> np.ndarray:
    return batch.values[:, columns.sources[columns.names.index(name)]]


def test_every_compartment_has_its_own_pixels():
    cells, nuclei = blobs((60, 80), 5)
    channels = image((60, 80))
    with measured(cells, nuclei, channels) as measurement:
        columns, batch = measurement.columns(Dialect.V0_7), next(measurement.batches())
    for row, (cell, nucleus) in enumerate(zip(batch.cell_labels, batch.nucleus_labels, strict=True)):
        inside = channels[1][cells == cell].astype(np.float64)
        outer = channels[1][(cells == cell) & (nuclei != nucleus)] if nucleus else inside
        assert named(batch, columns, "Cell: C1: Mean")[row] == np.float32(inside.mean())
        assert named(batch, columns, "Cytoplasm: C1: Max")[row] == (outer.max() if len(outer) else np.nan)


@pytest.mark.parametrize(("margin", "columns"), [(0, 10), (2, 12), (5, 15), (None, 40)])
def test_a_nucleus_is_measured_as_far_from_its_cell_as_the_version_of_qupath_looks(margin, columns):
    cells, nuclei = np.zeros((2, 30, 60), np.int32)
    cells[5:15, 4:10] = 1
    nuclei[8:12, 6:40] = 1
    cells[20:25, 50:55] = 2  # has no nucleus
    channel = np.broadcast_to(np.arange(60, dtype=np.uint16), (1, 30, 60))
    with measured(cells, nuclei, channel, nucleus_margin=margin) as measurement:
        names, batch = measurement.columns(Dialect.V0_7), next(measurement.batches())
    assert named(batch, names, "Nucleus: C0: Max")[0] == columns - 1
    assert named(batch, names, "Cell: C0: Max").tolist() == [9, 54]


@pytest.mark.parametrize("nuclei_only", [False, True])
def test_one_mask_alone_gives_detections(nuclei_only):
    mask = np.array([[4, 4, 0], [0, 0, 9]])
    channel = np.array([[1, 2, 0], [0, 0, 7]], dtype=np.uint16)
    masks = (None, mask) if nuclei_only else (mask, None)
    with measured(*masks, [channel], pixel_size=PixelSize(0.5, 0.5)) as measurement:
        assert measurement.kind is ObjectKind.DETECTION
        assert measurement.unmatched_nuclei == 0
        columns, batch = measurement.columns(Dialect.V0_7), next(measurement.batches())
    assert columns.names[:2] == ("C0: Mean", "C0: Median")
    assert columns.names[6] == "Area µm^2"
    labels = (batch.cell_labels.tolist(), batch.nucleus_labels.tolist())
    assert labels == (([0, 0], [4, 9]) if nuclei_only else ([4, 9], [0, 0]))
    assert batch.outlines.labels.tolist() == [4, 9]
    assert len(batch.nuclei) == 0
    assert named(batch, columns, "C0: Mean").tolist() == [1.5, 7]
    assert named(batch, columns, "Area µm^2").tolist() == [0.5, 0.25]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64])
def test_masks_of_any_type_mean_the_same(dtype):
    mask = np.array([[1, 0], [1, 0]])
    (expected,), (found,) = (everything(given, given, [mask]) for given in (mask, mask.astype(dtype)))
    assert_same(expected, found)


def test_labels_above_two_to_the_24_and_65535_are_kept_apart():
    labels = np.array([3, 65_535, 65_536, 2**24, 2**24 + 1, 2**31, 2**32 - 1])
    (batch,) = everything(labels[None], labels[None, ::-1], [np.arange(7)[None]])
    assert batch.cell_labels.tolist() == labels.tolist()
    assert batch.nucleus_labels.tolist() == labels[::-1].tolist()
    assert batch.values[:, 18].tolist() == list(range(7))
    assert len(set(batch.ids)) == 7


def test_a_hundred_thousand_cells():
    mask = np.zeros((960, 960), dtype=np.int32)
    numbers = np.random.default_rng(1).permutation(320 * 320) + 1
    for offset in (0, 1):
        mask[offset::3, ::3] = mask[offset::3, 1::3] = numbers.reshape(320, 320)
    channel = np.arange(mask.size, dtype=np.float32).reshape(mask.shape)
    (batch,) = everything(mask, None, [channel], size=200_000)
    assert batch.cell_labels.tolist() == list(range(1, 102_401))
    y, x = divmod(np.argsort(numbers), 320)
    np.testing.assert_array_equal(batch.values[:, 2], (y * 3 * 960 + x * 3).astype(np.float32))
    assert len(np.unique(batch.ids)) == 102_400


def test_no_objects_no_batches():
    with measured(np.zeros((5, 5)), np.zeros((5, 5)), [np.zeros((5, 5))]) as measurement:
        assert len(measurement) == 0
        assert list(measurement.batches()) == []


def test_no_channels_are_no_trouble():
    (batch,) = everything(np.eye(3), None, [])
    assert batch.values.shape == (1, 6)


@pytest.mark.parametrize("with_nuclei", [True, False])
def test_channels_without_a_name_are_named_by_position(with_nuclei):
    cells = np.ones((4, 5), dtype=np.uint8)
    channels, names = image((4, 5)), ["", " \t", " A "]
    with measured(cells, cells if with_nuclei else None, channels, channel_names=names) as measurement:
        assert measurement.channel_names == ("Channel 1", "Channel 2", " A ")
        found = measurement.columns(Dialect.V0_5).names
    for channel in ("Channel 1", "Channel 2", "A"):
        assert (f"{channel}: Cell: Mean" if with_nuclei else f"{' A ' if channel == 'A' else channel}: Mean") in found


def test_pixels_that_are_not_square():
    cells = np.ones((4, 4), dtype=np.uint8)
    nuclei = np.pad(np.ones((2, 2), dtype=np.uint8), 1)
    with measured(cells, nuclei, pixel_size=PixelSize(0.377, 0.5)) as measurement:
        columns, batch = measurement.columns(Dialect.V0_7), next(measurement.batches())
    assert named(batch, columns, "Cell: Area µm^2")[0] == pytest.approx(16 * 0.377 * 0.5, rel=1e-6)
    assert named(batch, columns, "Cell: Min diameter µm")[0] == pytest.approx(4 * 0.377, rel=1e-6)
    assert named(batch, columns, "Nucleus/Cell area ratio")[0] == pytest.approx(0.25, rel=1e-6)


def test_object_ids_do_not_depend_on_channels():
    cells, nuclei = blobs((60, 80), 5)
    (first,), (second,) = (everything(cells, nuclei, channels) for channels in ([], image((60, 80))))
    assert (first.ids == second.ids).all()
    (other,) = everything(cells, nuclei, [], image_name="other")
    assert not set(first.ids) & set(other.ids)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.array([[1, -1]]), "from -1 to 1"),
        (np.array([[1.0, np.nan]]), "nan"),
        (np.array([[0, 2**32]]), str(2**32)),
        (np.array([[0, 1j]]), "complex128"),
    ],
)
def test_what_is_no_label_mask_is_refused(mask, message):
    with pytest.raises(MaskError, match=message):
        measured(mask, None)


def test_masks_with_colours_or_of_another_size_are_refused():
    arguments = {"nuclei": None, "channels": [], "channel_names": [], "image_name": "x"}
    for found in (np.zeros((4, 5, 3)), np.zeros((3, 4, 5)), np.zeros((4, 4))):
        with pytest.raises(MaskError, match="one plane"):
            measure(cells=lambda region, found=found: found, shape=(4, 5), **arguments)


def test_measuring_needs_a_mask():
    with pytest.raises(MaskError, match="neither"):
        measure(cells=None, nuclei=None, channels=[], channel_names=[], shape=(4, 5), image_name="x")


def test_a_reader_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(recorded, made, tempfile.TemporaryFile))

    def failing(region):
        raise OSError("the disk is gone")

    mask = np.ones((4, 4), dtype=np.uint8)
    with pytest.raises(OSError, match="the disk is gone"):
        measure(
            cells=reader(mask),
            nuclei=None,
            channels=[failing],
            channel_names=["A"],
            shape=(4, 4),
            image_name="x",
            scratch=tmp_path,
        )
    assert made
    assert all(file.closed for file in made)
    assert list(tmp_path.iterdir()) == []


def recorded(made, make, **options):
    made.append(make(**options))
    return made[-1]
