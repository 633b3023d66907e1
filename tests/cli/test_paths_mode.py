"""Folders in separate places, on this machine or in a store, give the same bytes as a workspace."""

import fsspec
import numpy as np
import pytest

from tests.cli.runs import contents, finished, run
from tests.pipeline.spots import spots, write_dataset

PLANES = {"alpha": spots((300, 280), seed=1), "beta": spots((60, 80), seed=2)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, tiny_model):
    dataset = write_dataset(tmp_path_factory.mktemp("workspace"), **PLANES)
    assert run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset).exit_code == 0
    return dataset


@pytest.fixture
def memory(workspace, tmp_path, monkeypatch):
    """A store in memory that holds the images, and what to call it."""
    monkeypatch.setenv("CELLSCALE_CACHE", str(tmp_path / "cache"))
    store = fsspec.filesystem("memory")
    store.put(str(workspace / "OMETIFF"), "/bucket/OMETIFF", recursive=True)
    yield "memory://bucket"
    store.rm("/bucket", recursive=True)


def expected(workspace):
    return contents(workspace / "SEGMASK", workspace / "REPORTS")


def made(masks, tables):
    """The outputs, without the state of runs, which is with the masks."""
    return {name: content for name, content in contents(masks, tables).items() if not name.startswith("jobs/")}


def in_paths(model, images, masks, reports, *options, command="segment-and-measure"):
    words = ["paths", "--images_path", images, "--segmasks_path", masks, "--reports_path", reports]
    return run(command, "--model_path", model, *words, *options)


@pytest.mark.slow
def test_folders_anywhere_give_the_same_bytes(tmp_path, workspace, tiny_model):
    done = in_paths(tiny_model, workspace / "OMETIFF", tmp_path / "a/masks", tmp_path / "b/tables")
    assert done.exit_code == 0, done.stderr
    assert made(tmp_path / "a/masks", tmp_path / "b/tables") == expected(workspace)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_file_uris_are_paths(tmp_path, workspace, tiny_model):
    images, masks, tables = (path.as_uri() for path in (workspace / "OMETIFF", tmp_path / "mä sks", tmp_path / "t"))
    done = in_paths(tiny_model, images, masks, tables)
    assert done.exit_code == 0, done.stderr
    assert made(tmp_path / "mä sks", tmp_path / "t") == expected(workspace)


def test_npz_files_from_a_folder_of_their_own(tmp_path, workspace, tiny_model):
    (tmp_path / "npz").mkdir()
    for name, planes in PLANES.items():
        np.savez(tmp_path / "npz" / f"{name}.npz", input_channels=np.moveaxis(planes, 0, 2))
    options = ["--numpy_path", tmp_path / "npz"]
    done = in_paths(tiny_model, workspace / "OMETIFF", tmp_path / "masks", tmp_path / "tables", *options)
    assert done.exit_code == 0, done.stderr
    assert made(tmp_path / "masks", tmp_path / "tables") == expected(workspace)


def test_images_and_outputs_may_share_one_folder(tmp_path, workspace, tiny_model):
    for image in (workspace / "OMETIFF").iterdir():
        (tmp_path / image.name).write_bytes(image.read_bytes())
    for status in ("done", "kept"):
        done = in_paths(tiny_model, tmp_path, tmp_path, tmp_path)
        assert done.statuses == dict.fromkeys(PLANES, status)
    found = contents(tmp_path)
    assert {name: found[name] for name in expected(workspace)} == expected(workspace)


def test_images_in_a_store(tmp_path, workspace, tiny_model, memory):
    done = in_paths(tiny_model, f"{memory}/OMETIFF", tmp_path / "masks", tmp_path / "tables")
    assert done.exit_code == 0, done.stderr
    assert made(tmp_path / "masks", tmp_path / "tables") == expected(workspace)


def test_a_workspace_in_a_store(workspace, tiny_model, memory, tmp_path):
    done = run("segment-and-measure", "--model_path", tiny_model, "workspace", memory)
    assert done.exit_code == 0, done.stderr
    store = fsspec.filesystem("memory")
    for folder in ("SEGMASK", "REPORTS"):
        store.get(f"/bucket/{folder}/", str(tmp_path / folder) + "/", recursive=True)
    assert contents(tmp_path / "SEGMASK", tmp_path / "REPORTS") == expected(workspace)
    again = run("segment-and-measure", "--model_path", tiny_model, "workspace", memory)
    assert set(again.statuses.values()) == {"kept"}


def test_a_store_without_images(tiny_model, memory):
    done = run("segment", "--model_path", tiny_model, "workspace", f"{memory}/gone")
    done.explains("no folder memory://bucket/gone/OMETIFF")


def test_measuring_needs_the_reports_and_makes_no_project_unless_asked(tmp_path, workspace, tiny_model):
    words = ["paths", "--images_path", workspace / "OMETIFF", "--segmasks_path", tmp_path / "masks"]
    run("segment-and-measure", "--model_path", tiny_model, *words).explains("--reports_path is missing")
    assert not (tmp_path / "masks").exists()
    done = run("segment", "--model_path", tiny_model, *words)
    assert done.exit_code == 0, done.stderr
    assert not list(tmp_path.rglob("*.qpproj"))


def test_a_project_where_it_is_wanted(tmp_path, workspace, tiny_model):
    options = ["--project_path", tmp_path / "p"]
    done = in_paths(tiny_model, workspace / "OMETIFF", tmp_path / "masks", tmp_path / "tables", *options)
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "p" / "project.qpproj").is_file()
    assert finished(workspace, "alpha")
