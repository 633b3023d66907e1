"""Files of all writers at hand: names, µm/px and every plane's pixels, held against tifffile's reading."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cellscale.errors import ImageError
from cellscale.images.open import open_image
from cellscale.regions import Region
from tests.images.formats import CASES
from tests.images.formats_page import PAGE, page
from tests.images.program_files import PROGRAM_CASES
from tests.patience import HANGS

KEYS = [f"{number} {case.program}: {case.layout}" for number, case in enumerate(CASES)]
ROOT = Path(__file__).resolve().parents[2]
WRITERS = ROOT / "build" / "environments" / "writers"
SCRIPT = ROOT / "tests" / "images" / "writers" / "write.py"
REGION = Region(7, 11, 53, 67)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("key", KEYS)
def test_a_file_is_read_as_the_table_says(tmp_path, key):
    case = CASES[KEYS.index(key)]
    path = tmp_path / f"image{case.suffix}"
    case.write(path)
    check(case, path)


@pytest.mark.slow
def test_files_of_other_programs_are_read_as_the_table_says(tmp_path, subtests):
    python = WRITERS / "bin" / "python"
    if not (WRITERS / ".installed").exists():
        pytest.skip("programs that write images are not installed: make writers")
    subprocess.run([python, SCRIPT, tmp_path], check=True, timeout=HANGS)
    assert {case.file for case in PROGRAM_CASES} == {path.name for path in tmp_path.iterdir()}
    for case in PROGRAM_CASES:
        with subtests.test(case.file):
            check(case, tmp_path / case.file)


def check(case, path):
    """Check that a file is read as its case says, and as tifffile or zarr read it."""
    if case.names is None:
        with pytest.raises(ImageError, match=case.told):
            open_image(path)
        return
    image = open_image(path)
    info = image.info
    assert tuple(channel.name for channel in info.channels) == case.names
    assert (info.pixel_size is None) == (case.mpp is None)
    if info.pixel_size is not None and case.mpp is not None:
        assert (info.pixel_size.x, info.pixel_size.y) == pytest.approx((case.mpp, case.mpp))
    assert any(case.told in warning for warning in info.warnings) or (not case.told and not info.warnings)
    assert info.dtype == case.planes.dtype
    found = image.read((0, 1, 2), info.region)
    np.testing.assert_array_equal(found, case.planes)
    np.testing.assert_array_equal(image.read((2, 0), REGION), case.planes[([2, 0], *REGION.slices)])
    for level, (height, width) in enumerate(info.levels):
        assert image.read((0, 2), Region(0, 0, height, width), level).shape == (2, height, width)
    image.close()
    if path.is_dir():
        np.testing.assert_array_equal(found, as_zarr_reads(path).reshape(found.shape))
    elif not case.is_changed:
        np.testing.assert_array_equal(found, as_tifffile_reads(path, info))


def as_zarr_reads(path):
    """Return what zarr reads of the first resolution."""
    group = zarr.open_group(path, mode="r")
    facts = dict(group.attrs)
    return group[facts.get("ome", facts)["multiscales"][0]["datasets"][0]["path"]][...]


def as_tifffile_reads(path, info):
    """Return the planes that tifffile reads of the image that was chosen."""
    with tifffile.TiffFile(path) as tiff:
        alike = [page for page in tiff.pages if page.shape[:2] == info.shape or page.shape[-2:] == info.shape]
        stored = [page.asarray() for page in alike]
        if len(stored) < len(info.channels) and stored[0].ndim == 2:  # one page has tags of its own
            return tiff.series[0].asarray()
    planes = [plane if plane.ndim == 3 else plane[..., None] for plane in stored]
    return np.concatenate([np.moveaxis(one, -1, 0) if one.shape[:2] == info.shape else one for one in planes])


def test_the_table_of_the_documentation_is_that_of_the_cases():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run python -m tests.images.formats_page"
