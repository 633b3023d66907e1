"""An error of ours is never called the user's damaged file, and a damaged file never an error of ours."""

import json
import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr

from cellscale.errors import CodecError, DefectError, ImageError, MaskError, ModelError
from cellscale.faults import failure_text, is_defect
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.npz import npz_image
from cellscale.images.open import open_image
from cellscale.images.tiff import tiff_image
from cellscale.images.zarr import ome_zarr
from cellscale.images.zarr.label_zarr import write_label_zarr
from cellscale.regions import Region
from cellscale.storage.json_text import parsed_json
from cellscale.weights.resolve import resolve_model
from tests.cli.runs import run

CORNER = Region(0, 0, 8, 8)


def broken(*_, **__):
    """Stand for a function that uses what a library no longer has."""
    return object().get_axes


@pytest.fixture
def files(tmp_path):
    """A healthy file of each kind that is read."""
    pixels = np.arange(2 * 64 * 64, dtype=np.uint16).reshape(2, 64, 64)
    tifffile.imwrite(tmp_path / "a.tiff", pixels, photometric="minisblack", tile=(16, 16), compression="zlib")
    np.savez(tmp_path / "a.npz", input_channels=pixels.transpose(1, 2, 0))
    write_label_zarr(tmp_path / "a.ome.zarr", [pixels[0].astype(np.int32)], (64, 64))
    return tmp_path


@pytest.mark.parametrize(
    ("module", "function", "file"),
    [
        (tiff_image, "level_of", "a.tiff"),
        (npz_image, "_header", "a.npz"),
        (ome_zarr, "parse_multiscales", "a.ome.zarr"),
    ],
)
def test_a_broken_reader_is_an_error_of_cellscale_with_versions(files, monkeypatch, module, function, file):
    monkeypatch.setattr(module, function, broken)
    with pytest.raises(DefectError) as caught:
        open_image(files / file)
    message = str(caught.value)
    assert message.startswith(
        f"{file}: unexpected error: AttributeError: 'object' object has no attribute 'get_axes'"
    )
    assert "an error of cellscale" in message
    assert "not of your data" in message
    assert "damaged" not in message
    for package in ("tifffile", "numpy", "Python"):
        assert f"{package} " in message
    assert "cellscale doctor" in message
    assert isinstance(caught.value.__cause__, AttributeError)


def test_a_library_that_has_lost_a_function_is_no_damage(files, monkeypatch):
    monkeypatch.delattr(tifffile.TiffPage, "decode")
    with pytest.raises(DefectError, match=r"TiffPage.*decode"):
        open_image(files / "a.tiff")


def test_a_library_that_fails_inside_on_every_file_is_no_damage(files, monkeypatch):
    # What it raises is what it raises on damaged files; that healthy ones fail as well tells the two apart.
    monkeypatch.setattr(tifffile.TIFF.DECOMPRESSORS, "_codecs", {8: lambda *_, **__: np.zeros(3)[7]})
    with open_image(files / "a.tiff") as image, pytest.raises(DefectError, match="IndexError"):
        image.read((0,), CORNER)


def test_a_damaged_file_stays_one_while_healthy_files_can_be_read(files):
    content = bytearray((files / "a.tiff").read_bytes())
    with tifffile.TiffFile(files / "a.tiff") as file:
        start, size = file.pages[0].dataoffsets[0], file.pages[0].databytecounts[0]
    content[start : start + size] = bytes(size)
    (files / "a.tiff").write_bytes(content)
    with open_image(files / "a.tiff") as image, pytest.raises(ImageError, match="the file is damaged"):
        image.read((0,), CORNER)
    for file in ("a.tiff", "a.npz"):
        (files / file).write_bytes((files / file).read_bytes()[:300])
        with pytest.raises(ImageError, match=r"truncated|damaged"):
            open_image(files / file)
    (files / "a.ome.zarr" / "0" / "zarr.json").write_text('{"zarr_format": 3')
    with pytest.raises(ImageError, match="the OME-Zarr is damaged"):
        open_image(files / "a.ome.zarr")


def test_where_no_healthy_file_can_be_written_the_file_is_not_excused():
    def full():
        raise OSError(28, "No space left on device")

    assert not is_defect(ValueError("odd"), full)
    assert is_defect(AttributeError("ours"), full)


def test_a_broken_reader_fails_its_images_and_no_other(files, tmp_path, monkeypatch, tiny_model):
    dataset = tmp_path / "data"
    (dataset / "OMETIFF").mkdir(parents=True)
    pixels = np.arange(2 * 64 * 64, dtype=np.uint16).reshape(2, 64, 64)
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Membrane"]}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    for name in ("zlib", "lzw"):
        file = dataset / "OMETIFF" / f"{name}.ome.tiff"
        tifffile.imwrite(file, pixels, photometric="minisblack", ome=True, compression=name, metadata=names)
    codecs = {8: broken, 5: imagecodecs.lzw_decode}
    monkeypatch.setattr(tifffile.TIFF.DECOMPRESSORS, "_codecs", codecs)
    with pytest.raises(AssertionError, match="unexpected error") as shown:  # what `run` thinks of such an end
        run("segment", "--model_path", tiny_model, "workspace", dataset)
    assert "failed: zlib: zlib.ome.tiff: unexpected error" in str(shown.value)
    assert "failed: lzw" not in str(shown.value)
    assert (dataset / "SEGMASK" / "lzw_WholeCellMask.tiff").is_file()


def test_an_error_of_ours_outside_images_is_told_and_ends_with_70(monkeypatch, tmp_path):
    from click.testing import CliRunner

    from cellscale.cli.main import cellscale

    monkeypatch.setattr("cellscale.weights.resolve.installed_model", broken)
    monkeypatch.setattr("cellscale.cli.commands.models.installed_model", broken, raising=False)
    result = CliRunner().invoke(cellscale, ["models", "path", "mesmer"])
    assert result.exit_code == 70
    assert "unexpected error: AttributeError" in result.stderr
    assert "report this" in result.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MaskError("two masks"), "two masks"),
        (MemoryError(), "too little memory"),
        (RuntimeError("can't start new thread"), "no more threads: raise the limits"),
        (OSError(27, "File too large", "/data/x"), "/data/x: the file is larger than a limit"),
        (OSError(28, "No space left", "/data/x"), "/data/x: the disk is full"),
        (TypeError("a\nb"), "unexpected error: TypeError: a b: this is an error of cellscale"),
    ],
)
def test_whatever_ends_the_work_is_told_as_what_it_is(error, said):
    assert said in failure_text(error)


def test_a_codec_that_imagecodecs_was_built_without_is_named_at_opening(tmp_path):
    path = tmp_path / "lerc.tiff"
    tifffile.imwrite(path, np.zeros((64, 64), np.uint16), compression="lerc")
    program = (
        "import sys\nsys.modules['imagecodecs._lerc'] = None\n"
        "from cellscale.images.open import open_image\nfrom cellscale.errors import CodecError\n"
        f"try: open_image({str(path)!r})\nexcept CodecError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.startswith("lerc.tiff: its pixels are compressed with LERC, and imagecodecs ")
    assert "without the codec" in said
    assert "damaged" not in said


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [
        (34712, CodecError, None),
        (34661, CodecError, "compressed with JBIG, which tifffile"),
        (4711, ImageError, "4711"),
    ],
)
def test_compressions_that_no_library_reads_are_named(tmp_path, number, error, said):
    path = tmp_path / "odd.tiff"
    tifffile.imwrite(path, np.zeros((64, 64), np.uint16), compression="zlib")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        where = file.pages[0].tags["Compression"].valueoffset
    content[where : where + 2] = number.to_bytes(2, "little")
    path.write_bytes(content)
    if said is None:  # there is a codec, and the pixels are not of that kind
        with open_image(path) as image, pytest.raises(ImageError, match="the file is damaged"):
            image.read((0,), CORNER)
        return
    with pytest.raises(error, match=said):
        open_image(path)


def test_a_missing_codec_of_a_mask_is_not_called_no_label_mask(tmp_path):
    path = tmp_path / "m.ome.zarr"
    write_label_zarr(path, [np.zeros((64, 64), np.int32)], (64, 64))
    place = path / "0" / "zarr.json"
    place.write_text(place.read_text().replace('"name": "zstd"', '"name": "far.off"').replace('"zstd"', '"far.off"'))
    with pytest.raises(CodecError, match=r"m\.ome\.zarr: its chunks are stored with a codec that is not installed"):
        open_mask(path).read(CORNER)


def test_a_zarr_of_version_2_with_an_unknown_codec(tmp_path):
    group = zarr.create_group(tmp_path / "i.ome.zarr", zarr_format=2)
    group.create_array("0", shape=(64, 64), dtype="uint16", chunks=(32, 32), compressors=None)
    scale = [{"type": "scale", "scale": [1, 1]}]
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    group.attrs["multiscales"] = [
        {"version": "0.4", "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    ]
    place = tmp_path / "i.ome.zarr" / "0" / ".zarray"
    place.write_text(place.read_text().replace('"compressor": null', '"compressor": {"id": "imagecodecs_far"}'))
    with pytest.raises(CodecError, match="imagecodecs_far"):
        open_image(tmp_path / "i.ome.zarr")


def test_deeply_nested_json_is_no_json():
    with pytest.raises(ValueError, match="nested too deeply"):
        parsed_json("[" * 200_000)


def test_numbers_of_more_than_64_bits_are_refused():
    with pytest.raises(ImageError, match="at most 64 bits"):
        open_image(np.zeros((1, 8, 8), np.longdouble))


def test_a_resolution_without_pixels_is_damage(files):
    path = files / "a.ome.zarr"
    root = json.loads((path / "zarr.json").read_text())
    scales = root["attributes"]["ome"]["multiscales"][0]
    scales["datasets"].append({**scales["datasets"][0], "path": "1"})
    (path / "zarr.json").write_text(json.dumps(root))
    zarr.create_array(path / "1", shape=(32, 0), dtype="int32", chunks=(32, 32))
    with pytest.raises(MaskError, match=r"resolution 1 has the shape \(32, 0\)"):
        open_mask(path)


@pytest.mark.parametrize("change", [{"fill_value": 2**40}, {"chunks": [0, 0]}])
def test_odd_values_in_the_metadata_of_a_zarr_are_damage(tmp_path, change):
    group = zarr.create_group(tmp_path / "i.ome.zarr", zarr_format=2)
    group.create_array("0", shape=(64, 64), dtype="uint16", chunks=(32, 32), compressors=None)
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    place = tmp_path / "i.ome.zarr" / "0" / ".zarray"
    place.write_text(json.dumps(json.loads(place.read_text()) | change))
    with pytest.raises(ImageError, match=r"i\.ome\.zarr: (the OME-Zarr|.*: it) is damaged"):
        open_image(tmp_path / "i.ome.zarr").read((0,), CORNER)


def test_a_folder_is_no_tensorflow_model_unless_it_is_one(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "mesmer.onnx").touch()
    with pytest.raises(ModelError, match=r"net is a folder that holds mesmer\.onnx; the \.onnx file itself"):
        resolve_model(str(tmp_path / "net"))
    (tmp_path / "net" / "saved_model.pb").touch()
    with pytest.raises(ModelError, match="TensorFlow"):
        resolve_model(str(tmp_path / "net"))


def test_a_simulation_into_no_folder_is_refused():
    run("simulate", "").explains("is empty", "name the folder")
