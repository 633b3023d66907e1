"""cellscale imports what it asks for, and nothing that is only there because the tests need it."""

import ast
import re
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

SOURCES = Path(__file__).resolve().parents[1] / "src" / "cellscale"
EXTRAS = {
    "engines/batch/": {"google", "grpc"},
    "engines/dask/": {"dask", "distributed"},
    "engines/spatial_elements.py": {"anndata", "dask", "geopandas", "spatialdata"},
    "predict/onnx_file/half.py": {"onnx"},
    "privacy.py": {"openvino"},
    "records/bigquery.py": {"google", "requests"},
    "storage/uri.py": {"aiohttp"},
}
"""Which files import what only an extra installs; nobody else imports them without it."""


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def always_installed():
    """The names of packages that are there wherever cellscale is."""
    found, open_ = set(), ["cellscale"]
    while open_:
        name = open_.pop()
        for word in distribution(name).requires or []:
            wanted = Requirement(word)
            if (wanted.marker is None or wanted.marker.evaluate({"extra": ""})) and plain(wanted.name) not in found:
                found.add(plain(wanted.name))
                open_.append(wanted.name)
    return found


def imported(path):
    """The outside modules that a file imports, at its top or inside of functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            if (top := name.split(".")[0]) not in {*sys.stdlib_module_names, "cellscale"}:
                yield top


@pytest.mark.slow
def test_all_that_is_imported_is_installed_with_cellscale_or_with_an_extra_that_is_named(always_installed):
    owners, wrong = packages_distributions(), []
    for path in sorted(SOURCES.rglob("*.py")):
        place = path.relative_to(SOURCES).as_posix()
        apart = set().union(*(names for start, names in EXTRAS.items() if place.startswith(start)))
        for module in set(imported(path)) - apart:
            if not {plain(name) for name in owners.get(module, [])} & always_installed:
                wrong.append(f"{place} imports {module}")
    assert wrong == []
