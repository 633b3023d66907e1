"""One table of all images of a dataset, from the command line."""

import pyarrow.parquet as pq
import pytest

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset


@pytest.fixture(scope="module")
def measured(tiny_model, tmp_path_factory):
    folder = write_dataset(
        tmp_path_factory.mktemp("gather") / "dataset", a=spots((120, 130)), b=spots((150, 130), seed=1)
    )
    assert run("segment-and-measure", "--model_path", tiny_model, "--no_report", "workspace", folder).exit_code == 0
    return folder


def single(folder, name):
    return pq.read_table(folder / "REPORTS" / f"{name}_QUANT.parquet")


def test_both_files_have_the_cells_of_all_images(measured):
    import anndata

    ended = run("gather", measured)
    assert ended.exit_code == 0
    table = pq.read_table(measured / "REPORTS" / "all_cells.parquet")
    ids = [identity for name in "ab" for identity in single(measured, name)["Object ID"].to_pylist()]
    assert table["Object ID"].to_pylist() == ids
    assert anndata.read_h5ad(measured / "REPORTS" / "all_cells.h5ad").obs_names.tolist() == ids
    assert f"{len(ids)} cells of 2 images" in ended.stdout
    assert str(measured / "REPORTS" / "all_cells.h5ad") in ended.stdout


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:900])]
)
def test_an_image_whose_table_is_damaged_is_left_out_and_named(measured, damage):
    path = measured / "REPORTS" / "a_QUANT.parquet"
    whole = path.read_bytes()
    try:
        damage(path)
        ended = run("gather", "--format", "parquet", measured)
    finally:
        path.write_bytes(whole)
    assert ended.exit_code == 1
    assert "failed: a: its cells are left out: " in ended.stderr
    assert set(pq.read_table(measured / "REPORTS" / "all_cells.parquet")["Sample"].to_pylist()) == {"b"}


def test_damage_in_the_middle_of_a_table_is_found_before_anything_is_written(measured):
    path = measured / "REPORTS" / "a_QUANT.parquet"
    whole = path.read_bytes()
    damaged = bytearray(whole)
    middle = len(damaged) // 2
    damaged[middle : middle + 200] = bytes(200)
    try:
        path.write_bytes(damaged)
        ended = run("gather", "--format", "parquet", measured)
    finally:
        path.write_bytes(whole)
    assert ended.exit_code == 1
    assert "a_QUANT.parquet" in ended.stderr


def test_a_dataset_without_tables_says_what_to_run(tmp_path):
    (tmp_path / "OMETIFF").mkdir()
    run("gather", tmp_path).explains("no table of cells", "segment-and-measure")
