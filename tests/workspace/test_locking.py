"""Runs whose masks lie apart share no folder that either writes to."""

import pytest

from cellscale.errors import RunInProgressError
from cellscale.workspace.layout import separate_paths
from cellscale.workspace.locking import dataset_lock


def paths(root, name, project="P", reports="R"):
    return separate_paths(
        images=root / "images", segmasks=root / name, reports=root / reports, project=root / project
    )


@pytest.mark.parametrize("others", [{"project": "Q"}, {"reports": "S"}])
def test_two_runs_into_one_project_or_one_folder_of_tables_are_refused(tmp_path, others):
    with (
        dataset_lock(paths(tmp_path, "m1"), tables=True),
        pytest.raises(RunInProgressError),
        dataset_lock(paths(tmp_path, "m2", **others), tables=True),
    ):
        pass


def test_runs_that_share_nothing_that_they_write_go_side_by_side(tmp_path):
    with (
        dataset_lock(paths(tmp_path, "m1"), tables=True),
        dataset_lock(paths(tmp_path, "m2", "Q", "S"), tables=True),
        dataset_lock(paths(tmp_path, "m3"), tables=False),
    ):
        pass


def test_one_folder_for_all_is_locked_once(tmp_path):
    with dataset_lock(paths(tmp_path, "all", "all", "all"), tables=True):
        assert (tmp_path / "all" / "jobs").is_dir()
