"""Tables of the commands: drawn at a terminal, lines parted by tabs elsewhere."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from cellscale.cli.output.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["drawn", "show_rows"]

_UNBROKEN = 20
"""Letters of a word that are kept in one line where columns can be made narrow enough."""


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[str]], *, text: Collection[str]) -> None:
    """Show a table on standard output.

    Parameters
    ----------
    columns
        Their names.
    rows
        At a terminal all are taken before any is shown, so that columns get their widths. Where these are more than
        fit without breaking words, each row is drawn as lines of name and value. Elsewhere each row is written as
        soon as it is there.
    text
        Columns that hold no numbers.
    """
    from rich.console import Console

    console = Console(highlight=False)
    if console.is_terminal:
        shown = [tuple(map(printable, row)) for row in rows]
        if _fits(columns, shown, console.width):
            console.print(drawn(columns, shown, text=text, width=console.width))
        else:
            console.print(_stacked(columns, shown))
        return
    click.echo("\t".join(columns))
    for row in rows:
        click.echo("\t".join(map(printable, row)))


def drawn(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    text: Collection[str],
    width: int,
    style: Callable[[Sequence[str]], str | None] = lambda row: None,
) -> "Table":
    """Return a table that a console draws.

    Parameters
    ----------
    columns, text
        As of `show_rows`.
    rows
        Printable texts.
    width
        Of the console, in letters.
    style
        Gives a row's colour.
    """
    from rich.markup import escape
    from rich.table import Table

    rows = list(rows)
    cells = list(zip(columns, *rows, strict=True))
    least = [_word(column) for column in cells]
    gap = 2 if sum(least) + 2 * len(least) - 2 <= width else 1
    widths = _fitted([max(map(len, column)) for column in cells], least, width - gap * (len(least) - 1))
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=gap == 1)
    for title, wide in zip(columns, widths, strict=True):
        table.add_column(title, justify="left" if title in text else "right", overflow="fold", width=wide)
    for row in rows:
        table.add_row(*map(escape, row), style=style(row))
    return table


def _fits(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Tell whether a table has room without breaking words."""
    least = [_word(column) for column in zip(columns, *rows, strict=True)]
    return sum(least) + len(least) - 1 <= width


def _stacked(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> "Table":
    """Return a table of names and values, row after row."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for number, row in enumerate(rows):
        if number:
            table.add_row()
        for name, value in zip(columns, row, strict=True):
            table.add_row(name, escape(value))
    return table


def _word(column: Iterable[str]) -> int:
    """Return the length of a column's longest word, as far as it is kept in one line."""
    return min(max((len(word) for cell in column for word in cell.split()), default=1), _UNBROKEN)


def _fitted(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Make the widest columns narrower until all fit, below the least widths only where nothing else helps."""
    found, limits = list(widths), list(least)
    while sum(found) > max(room, len(found)):
        over = [place for place, wide in enumerate(found) if wide > limits[place]]
        if over:
            found[max(over, key=lambda place: found[place])] -= 1
        else:
            limits = [1] * len(found)
    return found
