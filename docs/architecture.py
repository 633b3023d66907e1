"""MkDocs hook: draws the journey of a tile, and lists all packages and their contracts, from the sources."""

from collections.abc import Iterator
from html import escape
from typing import Any

from journey_picture import picture
from source_tree import PACKAGE, Module, contracts, floors, modules

JOURNEY, HOUSE, CONTRACTS, PACKAGES = (f"<!-- {name} -->" for name in ("journey", "house", "contracts", "packages"))
"""Where in a page the picture, the floors, the contracts and the modules go."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in what is made from the sources; MkDocs calls this for every page."""
    made = {JOURNEY: lambda: [picture(markdown)], HOUSE: _house, CONTRACTS: _contracts, PACKAGES: _packages}
    for place, lines in made.items():
        if place in markdown:
            markdown = markdown.replace(place, "\n".join(lines()))
    return markdown


def _house() -> Iterator[str]:
    """Yield the floors of packages from the top down."""
    yield '<div class="house">'
    for floor in floors():
        yield '<div class="floor">' + "".join(map(_room, floor)) + "</div>"
    yield "</div>"


def _room(package: str) -> str:
    """Return a package as a linked box."""
    module = modules()[f"{PACKAGE}.{package}"]
    return f'<a href="#{module.name}" title="{escape(module.summary)}">{package}</a>'


def _contracts() -> Iterator[str]:
    """Yield the contracts beside that of the floors."""
    rooms = []
    for contract in contracts():
        if contract["type"] == "forbidden":
            sources, targets = (_linked(contract[key]) for key in ("source_modules", "forbidden_modules"))
            yield f"- **{contract['name']}.** Nothing in {sources} imports from {targets}, not even through others."
        elif contract["type"] == "protected":
            rooms += contract["allowed_importers"]
    yield (
        f"- **Rooms have a door.** The folders inside {_linked(rooms)} are rooms. Outside their package, what is in "
        "them is imported only from the room's `__init__`, which hands out a few names."
    )


def _linked(names: list[str]) -> str:
    """Return links to packages, with commas."""
    return ", ".join(f"[{name.removeprefix(f'{PACKAGE}.')}](#{name})" for name in names)


def _packages() -> Iterator[str]:
    """Yield a section for each package, from the top floor down, and a table of its modules."""
    for floor in floors():
        for package in floor:
            module = modules()[f"{PACKAGE}.{package}"]
            yield from (f"### {package} {{ #{module.name} }}", "", f"{module.summary}", "")
            inside = [one for name, one in modules().items() if name.startswith(f"{module.name}.")]
            if inside:
                imports = sorted({name.split(".")[1] for one in (module, *inside) for name in _outside(one, package)})
                used = f"It imports from {_linked([f'{PACKAGE}.{name}' for name in imports])}." if imports else ""
                yield from (used, "", "| module | |", "|---|---|")
                yield from map(_row, inside)
            yield ""


def _outside(module: Module, package: str) -> Iterator[str]:
    """Yield the modules of other packages that a module imports."""
    own = f"{PACKAGE}.{package}"
    for name, _ in module.imports:
        if name != PACKAGE and not f"{name}.".startswith(f"{own}."):
            yield name


def _row(module: Module) -> str:
    """Return a module, or a room and what it hands out, as a row of a table."""
    name = module.short_name.partition(".")[2]
    summary = module.summary.replace("|", "\\|")
    if module.is_package:
        hands = " ".join(f"`{word}`" for word in module.hands_out)
        summary = f"**{summary}**" + (f" Hands out {hands}" if hands else "")
    return f'| <span id="{module.name}">`{name}`</span> | {summary} |'
