"""The picture of a page that follows a tile through the code: the modules its sections name, and their imports."""

import re
from dataclasses import dataclass
from html import escape
from itertools import groupby

from markdown.extensions.toc import slugify
from mkdocs.exceptions import PluginError
from source_tree import Module, floors, modules

__all__ = ["picture", "sections"]

_LINK = re.compile(r"\(packages\.md#(cellscale\.[\w.]+)\)")

_STEPS = 3
"""Columns of the numbers: what is imported only by others of the same row stands further right."""

_COLUMNS = 2 + _STEPS

_WIDTH, _HEIGHT = 112, 32
"""Of a box."""

_ACROSS, _DOWN = 22, 9
"""Between boxes."""

_MARGIN, _HEAD = 16, 26
"""Left of the boxes, where arrows run down; and above them, where a row's title stands."""


_LOWEST_OF_WORK, _LOWEST_OF_NUMBERS = (
    next(index for index, packages in enumerate(floors()) if name in packages) for name in ("pipeline", "label")
)
"""Floors of the house where columns change: from who runs the work to the numbers, and from those to the files."""


@dataclass(frozen=True)
class Box:
    """A module in its place."""

    module: Module
    row: int
    column: int
    x: int
    y: int

    @property
    def middle(self) -> tuple[int, int]:
        """Middle of the left side."""
        return self.x, self.y + _HEIGHT // 2


def sections(page: str) -> dict[str, list[str]]:
    """Return the modules that each section of a page links to, under its title; each where it comes first."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        before = {name for names in found.values() for name in names}
        found[title] = [name for name in dict.fromkeys(_LINK.findall(text)) if name not in before]
    return found


def picture(page: str) -> str:
    """Return the picture of a page as SVG in HTML: a row for each section whose modules are joined to others.

    Raises
    ------
    PluginError
        The page links to a module that does not exist.
    """
    rows = sections(page)
    unknown = {name for names in rows.values() for name in names} - modules().keys()
    if unknown:
        raise PluginError(f"the page links to {', '.join(sorted(unknown))}, of which there is no module")
    arrows = _arrows(list(rows.values()))
    joined = {name for arrow in arrows for name in arrow}
    drawn = {title: names for title, names in rows.items() if joined.intersection(names)}
    boxes, tops = _placed(list(drawn.values()), arrows)
    width, height = _left(_COLUMNS) - _ACROSS + _MARGIN, tops[-1]
    parts = [
        f'<div class="journey"><svg viewBox="0 0 {width} {height}" role="img" aria-label="Modules a tile passes">',
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L6 3L0 6z"/></marker></defs>',
    ]
    for (title, top), bottom in zip(zip(drawn, tops, strict=False), tops[1:], strict=True):
        parts.append(f'<rect class="row" x="0" y="{top}" width="{width}" height="{bottom - top - 4}" rx="4"/>')
        heading = f'<text class="title" x="{_MARGIN}" y="{top + 17}">{escape(title)}</text>'
        parts.append(f'<a href="#{slugify(title, "-")}">{heading}</a>')
    parts += [_line(boxes[start], boxes[end]) for start, end in arrows]
    parts += [_drawn(box) for box in boxes.values()]
    return "\n".join([*parts, "</svg></div>"])


def _arrows(rows: list[list[str]]) -> list[tuple[str, str]]:
    """Return who imports whom: all of that within a row, and for a module that this leaves out, its last importer."""
    found: list[tuple[str, str]] = []
    for row, names in enumerate(rows):
        near = [(name, other) for name in names for other in names if name != other and _imports(name, other)]
        reached = {other for _, other in near}
        earlier = [name for before in rows[:row] for name in before]
        far = [
            [(name, other) for name in earlier if _imports(name, other)][-1:]
            for other in names
            if other not in reached
        ]
        found += [*near, *(arrow for last in far for arrow in last)]
    return found


def _imports(name: str, other: str) -> bool:
    """Tell whether a module imports from another."""
    return any(source == other for source, _ in modules()[name].imports)


def _placed(rows: list[list[str]], arrows: list[tuple[str, str]]) -> tuple[dict[str, Box], list[int]]:
    """Return the boxes, and where each row begins and the last one ends."""
    boxes, tops = {}, [0]
    for row, names in enumerate(rows):
        columns = {name: _column(name, names, arrows) for name in names}
        heights = []
        for column, found in groupby(sorted(_downward(names, arrows), key=columns.__getitem__), columns.__getitem__):
            y = tops[-1] + _HEAD
            for name in found:
                boxes[name] = Box(modules()[name], row, column, _left(column), y)
                y += _HEIGHT + _DOWN
            heights.append(y)
        tops.append(max(heights) + 6)
    return boxes, tops


def _column(name: str, row: list[str], arrows: list[tuple[str, str]]) -> int:
    """Return the column that a module stands in: work, then numbers by depth, then files."""
    if _floor(name) <= _LOWEST_OF_WORK:
        return 0
    if _floor(name) > _LOWEST_OF_NUMBERS:
        return _COLUMNS - 1
    numbers = [one for one in row if _LOWEST_OF_WORK < _floor(one) <= _LOWEST_OF_NUMBERS]
    return 1 + min(_depth(name, numbers, arrows), _STEPS - 1)


def _floor(name: str) -> int:
    """Return how far below the roof of the house a module's package stands."""
    return next(index for index, packages in enumerate(floors()) if name.split(".")[1] in packages)


def _depth(name: str, names: list[str], arrows: list[tuple[str, str]]) -> int:
    """Return the length of the longest way to a module among some."""
    return max(
        (1 + _depth(start, names, arrows) for start, end in arrows if end == name and start in names), default=0
    )


def _downward(names: list[str], arrows: list[tuple[str, str]]) -> list[str]:
    """Return modules in an order in which each comes before those that it imports."""
    return sorted(names, key=lambda name: (_depth(name, names, arrows), names.index(name)))


def _left(column: int) -> int:
    return _MARGIN + column * (_WIDTH + _ACROSS)


def _line(start: Box, end: Box) -> str:
    """Return an arrow; one to another row is paler."""
    (x, y), (to_x, to_y) = start.middle, end.middle
    if end.column > start.column:
        bend = max((to_x - x - _WIDTH) // 2, _ACROSS)
        path = f"M{x + _WIDTH} {y}C{x + _WIDTH + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    elif end.column == start.column and end.y - start.y == _HEIGHT + _DOWN:
        path = f"M{x + 20} {start.y + _HEIGHT}V{end.y}"
    elif end.column == start.column:
        side = x - _MARGIN + 3
        path = f"M{x} {y}C{side} {y} {side} {y} {side} {y + 12}V{to_y - 12}C{side} {to_y} {side} {to_y} {to_x} {to_y}"
    else:
        path = f"M{x + 20} {start.y + _HEIGHT}C{x + 20} {end.y} {to_x + 100} {start.y} {to_x + 100} {end.y}"
    names = ", ".join(sorted(word for source, word in start.module.imports if source == end.module.name and word))
    kind = "near" if start.row == end.row else "far"
    return f'<path class="{kind}" d="{path}" marker-end="url(#tip)"><title>{escape(names)}</title></path>'


def _drawn(box: Box) -> str:
    """Return a box, linked to its module's place among all."""
    package, _, name = box.module.short_name.rpartition(".")
    return (
        f'<a href="packages.html#{box.module.name}"><title>{escape(box.module.summary)}</title>'
        f'<rect class="box" x="{box.x}" y="{box.y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4"/>'
        f'<text class="package" x="{box.x + 8}" y="{box.y + 13}">{package}</text>'
        f'<text class="module" x="{box.x + 8}" y="{box.y + 26}">{name}</text></a>'
    )
