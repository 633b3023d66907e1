"""What the sources say of themselves: modules, their first words, who imports what, and the contracts."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["PACKAGE", "Module", "contracts", "floors", "modules"]

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "cellscale"


@dataclass(frozen=True)
class Module:
    """One file of Python, or a folder's ``__init__.py``."""

    name: str
    """With dots, beginning with ``cellscale``."""

    summary: str
    """First paragraph of its docstring."""

    is_package: bool

    hands_out: tuple[str, ...]
    """Its ``__all__``."""

    imports: frozenset[tuple[str, str]]
    """Modules of cellscale that it imports names from, wherever in the file, and the names; followed to where the
    names are defined, whatever package hands them out."""

    @property
    def short_name(self) -> str:
        """The name without ``cellscale.``."""
        return self.name.removeprefix(f"{PACKAGE}.")


@cache
def modules() -> dict[str, Module]:
    """Return all modules of the package by their names, in the order of these."""
    trees = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in sorted(_files())}
    folders = {name for name, file in _files() if file.name == "__init__.py"}
    imported = {name: set(_imports(tree, trees.keys())) for name, tree in trees.items()}
    handed = {name: {word: source for source, word in imported[name]} for name in folders}
    return {
        name: Module(
            name,
            " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split()),
            name in folders,
            tuple(_all(tree)),
            frozenset(_followed(source, word, handed) for source, word in imported[name]),
        )
        for name, tree in trees.items()
    }


def contracts() -> list[dict[str, Any]]:
    """Return the contracts that import-linter checks, as ``pyproject.toml`` has them."""
    found: list[dict[str, Any]] = _project()["tool"]["importlinter"]["contracts"]
    return found


def floors() -> list[list[str]]:
    """Return the layers of packages from the top down, those side by side together, without ``cellscale.``."""
    (layers,) = (contract["layers"] for contract in contracts() if contract["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in layers]


@cache
def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _files() -> Iterator[tuple[str, Path]]:
    for file in (ROOT / "src" / PACKAGE).rglob("*.py"):
        place = file.relative_to(ROOT / "src").with_suffix("")
        yield ".".join(place.parent.parts if file.name == "__init__.py" else place.parts), file


def _imports(tree: ast.AST, known: Any) -> Iterator[tuple[str, str]]:
    """Yield the modules that a file imports from and the names it takes; relative imports are banned here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for word in node.names:
                inner = f"{node.module}.{word.name}"
                if inner in known:
                    yield inner, ""
                elif node.module in known:
                    yield node.module, word.name
        elif isinstance(node, ast.Import):
            yield from ((word.name, "") for word in node.names if word.name in known)


def _followed(source: str, word: str, handed: dict[str, dict[str, str]]) -> tuple[str, str]:
    """Return the module that defines a name which packages hand on."""
    while word and word in handed.get(source, {}):
        source = handed[source][word]
    return source, word


def _all(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            yield from ast.literal_eval(node.value)
