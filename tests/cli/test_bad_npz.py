"""A bad NPZ file fails its own image, unpacks nothing and runs nothing."""

import io
import zipfile

import numpy as np
import pytest

from tests.cli.runs import finished, run
from tests.pipeline.spots import spots, write_dataset

SHAPE = (60, 80)
PLANES = spots(SHAPE)
PIXELS = np.moveaxis(PLANES, 0, 2)


class Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return type(self.mark).touch, (self.mark,)


def pickled(path):
    np.savez(path, input_channels=np.array([[[Bomb(path.parents[1] / "executed")] * 2]], object))


def three_channels(path):
    np.savez(path, input_channels=np.zeros((*SHAPE, 3), np.uint16))


def zip_bomb(path):
    header = io.BytesIO()
    facts = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6, 2)}
    np.lib.format.write_array_header_1_0(header, facts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("input_channels.npy", header.getvalue() + bytes(1000))


def other_size(path):
    np.savez(path, input_channels=PIXELS[1:])


def cut(path):
    np.savez(path, input_channels=PIXELS)
    path.write_bytes(path.read_bytes()[:-100])


def text(path):
    path.write_text("These are not pixels.")


def not_finite(path):
    pixels = PIXELS.astype(np.float32)
    pixels[0, 0] = np.nan
    np.savez(path, input_channels=pixels)


BAD = {
    "pickled": (pickled, ["pickled.npz", "pickled Python objects", "refused", "save the array as numbers"]),
    "three_channels": (three_channels, ["(60, 80, 3)", "rows x columns x 2 (nucleus, membrane) expected"]),
    "zip_bomb": (zip_bomb, ["1000000 x 1000000 x 2", "zip bomb", "not unpacked"]),
    "other_size": (other_size, ["59 x 80", "60 x 80", "NPZ"]),
    "cut": (cut, ["cut.npz", "not an NPZ file, or a damaged one", "numpy.savez"]),
    "text": (text, ["text.npz", "not an NPZ file"]),
    "not_finite": (not_finite, ["1 pixels are not a number (NaN)"]),
}
GOOD = ("a_good", "z_good", "without_image")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("npz"), **dict.fromkeys([*BAD, "a_good", "z_good"], PLANES))
    (folder / "NPZ_INTERMEDIATE").mkdir()
    for name, (write, _) in BAD.items():
        write(folder / "NPZ_INTERMEDIATE" / f"{name}.npz")
    np.savez(folder / "NPZ_INTERMEDIATE" / "z_good.npz", PIXELS)
    np.savez_compressed(folder / "NPZ_INTERMEDIATE" / "without_image.npz", input_channels=PIXELS)
    return folder


@pytest.fixture(scope="module")
def done(dataset, tiny_model):
    return run("segment-and-measure", "--no_report", "--model_path", tiny_model, "workspace", dataset)


@pytest.mark.parametrize("image", BAD)
def test_a_bad_file_fails_its_image_with_the_reason(dataset, done, image):
    for word in BAD[image][1]:
        assert word in done.errors[image]
    assert not list(dataset.glob(f"*/{image}_*"))


def test_no_pickled_object_is_called(dataset, done):
    assert not (dataset / "executed").exists()


def test_the_other_images_are_finished(dataset, done):
    assert done.exit_code == 1
    assert {name for name, status in done.statuses.items() if status == "done"} == set(GOOD)
    assert set(done.errors) == set(BAD)
    assert all(finished(dataset, image) for image in GOOD)
