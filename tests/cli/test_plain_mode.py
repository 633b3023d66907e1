"""Images where they lie: what is made goes beside them, and is found again."""

import pytest

from tests.cli.runs import contents, finished, run
from tests.pipeline.spots import spots, write_dataset, write_image

PLANES = spots((60, 80))


@pytest.mark.slow
def test_files_and_then_their_folder_give_the_bytes_of_a_workspace(tmp_path, tiny_model):
    folder = tmp_path / "slides"
    for name in ("a", "b"):
        write_image(folder / f"{name}.ome.tiff", PLANES)
    words = ("segment-and-measure", "--model_path", tiny_model)
    one = run(*words, folder / "a.ome.tiff", "--workers", "1")
    assert (one.exit_code, one.statuses) == (0, {"a": "done"})
    assert finished(folder, "a")
    assert not list(folder.rglob("b_*"))
    assert run(*words, folder).statuses == {"a": "kept", "b": "done"}
    dataset = write_dataset(tmp_path / "workspace", a=PLANES, b=PLANES)
    assert run(*words, "workspace", dataset).exit_code == 0
    assert contents(folder / "SEGMASK") == contents(dataset / "SEGMASK")
    tables = [name for name in contents(folder / "REPORTS") if name.endswith((".tsv", ".parquet"))]
    assert len(tables) == 4
    for name in tables:
        assert contents(folder / "REPORTS")[name] == contents(dataset / "REPORTS")[name]
    assert run("verify", folder).exit_code == 0
