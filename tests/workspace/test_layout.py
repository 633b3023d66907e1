"""Where a dataset keeps what."""

from dataclasses import replace
from pathlib import Path

import pytest

from cellscale.errors import RequestError
from cellscale.workspace.layout import (
    Subfolders,
    is_mask_name,
    mask_name,
    report_name,
    separate_paths,
    workspace_paths,
)


def test_a_workspace_keeps_everything_below_one_folder(tmp_path):
    paths = workspace_paths(tmp_path)
    assert paths.images == tmp_path / "OMETIFF"
    assert paths.numpy == tmp_path / "NPZ_INTERMEDIATE"
    assert paths.segmasks == tmp_path / "SEGMASK"
    assert paths.project == tmp_path / "PROJ"
    assert paths.reports == tmp_path / "REPORTS"
    assert paths.jobs == tmp_path / "jobs"


def test_subfolders_can_have_other_names(tmp_path):
    paths = workspace_paths(str(tmp_path), Subfolders(images="raw/2024", segmasks="masks"))
    assert paths.images == tmp_path / "raw" / "2024"
    assert paths.segmasks == tmp_path / "masks"
    assert paths.reports == tmp_path / "REPORTS"


def test_a_workspace_may_be_in_a_bucket():
    paths = workspace_paths("gs://bucket/data set/")
    assert paths.images == "gs://bucket/data set/OMETIFF"
    assert paths.jobs == "gs://bucket/data set/jobs"


@pytest.mark.parametrize("name", ["with space", "-dash", "µm größe", "."])
def test_local_folders_are_absolute_whatever_their_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert workspace_paths(name).images == tmp_path / name / "OMETIFF"


@pytest.mark.parametrize("name", ["a/../b", "b/", "./b", "/{}/b"])
def test_local_folders_have_plain_paths(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert workspace_paths(name.format(tmp_path)).images == tmp_path / "b" / "OMETIFF"


def test_a_file_uri_is_a_local_folder(tmp_path):
    assert workspace_paths((tmp_path / "a b").as_uri()).images == tmp_path / "a b" / "OMETIFF"


def test_separate_folders_keep_the_state_with_the_masks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = separate_paths(images="in", segmasks="masks", reports="out/tables", numpy="npz", project="qp")
    assert paths.images == tmp_path / "in"
    assert paths.numpy == tmp_path / "npz"
    assert paths.project == tmp_path / "qp"
    assert paths.jobs == tmp_path / "masks" / "jobs"


@pytest.mark.parametrize("parent", ["/data", "gs://bucket", "gs://bucket/data"])
def test_folders_of_a_workspace_named_one_by_one_keep_the_state_where_the_workspace_does(parent):
    paths = separate_paths(images=f"{parent}/OMETIFF", segmasks=f"{parent}/SEGMASK", reports=f"{parent}/REPORTS")
    assert paths == replace(workspace_paths(parent), numpy=None, project=None)


@pytest.mark.parametrize("parent", ["/lab", "gs://lab"])
def test_datasets_beside_each_other_never_share_their_state(parent):
    one, other = (
        separate_paths(images=f"{parent}/images{n}", segmasks=f"{parent}/masks{n}", reports=f"{parent}/reports")
        for n in "AB"
    )
    assert one.jobs != other.jobs


def test_folders_that_are_whole_buckets_have_nothing_put_beside_them():
    paths = separate_paths(images="gs://images", segmasks="gs://masks")
    assert (paths.reports, paths.jobs) == ("gs://masks/REPORTS", "gs://masks/jobs")


def test_separate_folders_need_neither_npz_nor_project():
    paths = separate_paths(images="gs://a/in", segmasks="gs://a/masks/")
    assert (paths.numpy, paths.project) == (None, None)
    assert paths.reports == "gs://a/REPORTS"
    assert paths.jobs == "gs://a/masks/jobs"


@pytest.mark.parametrize("uri", ["gs://", "s3:///folder", "http://", "S3://"])
def test_a_uri_without_a_bucket_is_refused(uri):
    with pytest.raises(RequestError, match="names no bucket or host"):
        workspace_paths(uri)
    with pytest.raises(RequestError, match="names no bucket or host"):
        separate_paths(images=uri, segmasks="gs://a/masks")


def test_outputs_are_named_after_their_image():
    assert mask_name("a.b", "whole-cell") == "a.b_WholeCellMask.tiff"
    assert mask_name("a.b", "nuclear") == "a.b_NucleusMask.tiff"
    assert mask_name("a.b", "nuclear", ".ome.zarr") == "a.b_NucleusMask.ome.zarr"
    assert report_name("a.b") == "a.b_QUANT.tsv"


def test_mask_names_are_recognised():
    assert is_mask_name(Path(mask_name("a", "nuclear")).stem)
    assert not is_mask_name("WholeCellMasks")
