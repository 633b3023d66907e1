"""A mask may have any ending that an image may have."""

import pytest

from cellscale.workspace.mask_files import find_mask


@pytest.mark.parametrize("ending", [".tiff", ".tif", ".TIF", ".TIFF", ".ome.tif", ".ome.tiff", ".OME.TIFF"])
def test_a_mask_is_found_whatever_its_ending(tmp_path, ending):
    (tmp_path / f"a_WholeCellMask{ending}").write_bytes(b"x")
    (tmp_path / "a_WholeCellMask.tif.part").write_bytes(b"x")
    found = find_mask(tmp_path, "a", "whole-cell")
    assert found is not None
    assert found.name == f"a_WholeCellMask{ending}"
    assert find_mask(tmp_path, "a", "nuclear") is None
    assert find_mask(tmp_path, "A", "whole-cell") is None or (tmp_path / f"A_WholeCellMask{ending}").exists()


def test_a_mask_that_comes_later_is_found(tmp_path):
    assert find_mask(tmp_path / "none", "a", "nuclear") is None
    assert find_mask(tmp_path, "a", "nuclear") is None
    (tmp_path / "a_NucleusMask.TIF").write_bytes(b"x")
    assert find_mask(tmp_path, "a", "nuclear").name == "a_NucleusMask.TIF"


def test_ours_go_before_what_they_were_made_from(tmp_path):
    for ending in (".tif", ".ome.tif", ".tiff"):
        (tmp_path / f"a_NucleusMask{ending}").write_bytes(b"x")
    assert find_mask(tmp_path, "a", "nuclear").name == "a_NucleusMask.tiff"
    (tmp_path / "b_NucleusMask.ome.zarr").mkdir()
    assert find_mask(tmp_path, "b", "nuclear").is_folder


def test_masks_of_an_object_store_are_found():
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.pipe_file("/masks-found/a_NucleusMask.OME.TIF", b"x")
    try:
        found = find_mask("memory://masks-found", "a", "nuclear")
        assert found is not None
        assert found.location == "memory://masks-found/a_NucleusMask.OME.TIF"
    finally:
        fs.rm("/masks-found", recursive=True)
