"""The example notebook runs from top to bottom, and is kept without outputs."""

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.places import ROOT

NOTEBOOK = ROOT / "examples" / "segment_and_measure.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def text_of(cell):
    """Return what a cell printed."""
    return "".join(output.get("text", "") for output in cell.outputs)


def test_is_kept_without_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
def test_runs_from_top_to_bottom_and_shows_cells(notebook, mesmer_path, tmp_path):
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    ran = client.execute()
    outputs = [output for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    printed = "".join(map(text_of, (cell for cell in ran.cells if cell.cell_type == "code")))
    assert float(printed.partition("F1 ")[2].split()[0]) > 0.85
    assert any("AnnData object" in output.get("data", {}).get("text/plain", "") for output in outputs)
