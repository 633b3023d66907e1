"""The pages of all images: one, or with many images several, of which the first tells of all; or all in one file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from cellscale.report.facts import COLUMNS, Fact, counts, density, median_area, row, unit
from cellscale.report.findings import Findings
from cellscale.report.html.pages import environment, image_words
from cellscale.report.html.plots import images_plot
from cellscale.report.html.ranks import ranks
from cellscale.report.html.words import count
from cellscale.report.image_record import ImageRecord, Listed
from cellscale.workspace.layout import index_name, page_name

__all__ = ["PER_PAGE", "ListEntry", "index_entry", "index_page", "listed", "single_page"]

PER_PAGE = 60
"""Images whose pictures are on one page, and failures and warnings that are told on the first one; also images that
are compared in a plot, at most."""

LONG = 500
"""Rows of a table from which on a browser lays out only those that are seen, so that columns have set widths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """An image in the list of images."""

    record: ImageRecord
    listed: Listed
    overview: str | None = None
    """Small picture, WebP, base64; None where there is none, and for images of other pages."""
    crop: str | None = None
    """Small picture of a part up close."""
    anchor: str | None = None
    """Of the image's part of the same page; None where it has a page of its own."""

    @property
    def link(self) -> str:
        """To the image's page, or part of this one."""
        return f"#{self.anchor}" if self.anchor else quote(page_name(self.record.image), safe="")

    @property
    def status(self) -> str:
        """Whether there are results, whichever run made them."""
        return "failed" if self.record.error else "done"

    @property
    def lines(self) -> tuple[str, ...]:
        """What the list says."""
        counted = zip(self.listed.counts, ("cells", "nuclei"), strict=True)
        return tuple(f"{value:,} {word}" for value, word in counted if value is not None)


def listed(record: ImageRecord, look: Findings | None) -> Listed:
    """Return what the list says of an image; the look itself need not be kept for it."""
    found, columns = counts(record, look), row(record, look)
    if look is None:
        return Listed(counts=found, row=columns)
    areas = [median_area(look.compartments.get(compartment)) for compartment in ("whole-cell", "nuclear")]
    return Listed(
        counts=found,
        row=columns,
        flags=look.flags,
        density=density(record, look),
        areas=(areas[0], areas[1]),
        area_unit=unit(look),
    )


def index_entry(record: ImageRecord, look: Findings | None, anchor: str | None = None) -> ListEntry:
    """Return an image of the list, with its pictures where it was looked at."""
    facts = record.listed or listed(record, look)
    if look is None:
        return ListEntry(record=record, listed=facts, anchor=anchor)
    return ListEntry(record=record, listed=facts, overview=look.thumbnail, crop=look.close_up or None, anchor=anchor)


def index_page(title: str, entries: Sequence[ListEntry], number: int = 1) -> str:
    """Return a page of the list of images as HTML.

    Parameters
    ----------
    title
        What the dataset is called.
    entries
        All its images; only those of this page need pictures.
    number
        Of the page, from 1.
    """
    return environment().get_template("index.html.j2").render(_list_words(title, entries, number, PER_PAGE))


def single_page(
    title: str, entries: Sequence[ListEntry], images: Iterable[tuple[ImageRecord, Findings | None]]
) -> Iterator[str]:
    """Yield the list and the pages of all images as one HTML page, piece by piece.

    Parameters
    ----------
    title
        What the dataset is called.
    entries
        All its images, each with pictures and an anchor.
    images
        The same images in the same order; one is asked for at a time.
    """
    body = environment().get_template("image_body.html.j2")
    sheets = (
        {"anchor": entry.anchor, "body": Markup(body.render(image_words(record, look, f"{entry.anchor}-")))}
        for entry, (record, look) in zip(entries, images, strict=True)
    )
    words = _list_words(title, entries, 1, max(len(entries), 1))
    return environment().get_template("single.html.j2").generate(words, sheets=sheets)


def _list_words(title: str, entries: Sequence[ListEntry], number: int, per_page: int) -> dict[str, Any]:
    """Return what a page of the list tells, under the names that templates have for it."""
    mine = entries[(number - 1) * per_page : number * per_page]
    told = entries if number == 1 else mine
    failed = [entry for entry in told if entry.record.error is not None]
    flagged = [entry for entry in told if entry.listed.flags]
    rows = _rows(told)
    pages = [index_name(page) for page in range(1, -(-len(entries) // per_page) + 1)]
    return {
        "title": title,
        "number": number,
        "pages": pages if len(pages) > 1 else [],
        "facts": _facts(entries) if number == 1 else [],
        "failed": failed[:PER_PAGE],
        "more_failed": max(len(failed) - PER_PAGE, 0),
        "flagged": flagged[:PER_PAGE],
        "more_flagged": max(len(flagged) - PER_PAGE, 0),
        "cards": mine,
        "rows": list(zip(told, ranks(rows), strict=True)),
        "columns": COLUMNS,
        "widths": _widths(rows) if len(rows) > LONG else [],
        "plots": list(_comparisons(entries)) if number == 1 else [],
    }


def _rows(entries: Sequence[ListEntry]) -> list[tuple[str, ...]]:
    """Return the table's rows as they are read."""
    return [
        (one.record.image, one.status, str(len(one.listed.flags) or ""), *_padded(one.listed.row)) for one in entries
    ]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how many letters the widest text of each column has, or the longest word of its name."""
    names = ("image", "status", "warnings", *COLUMNS)
    return [
        max(*map(len, column), *map(len, name.split()))
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    ]


def _padded(row: tuple[str, ...]) -> tuple[str, ...]:
    """Return a row of the table with all its columns, whichever version wrote it."""
    return (*row[: len(COLUMNS)], *[""] * (len(COLUMNS) - len(row)))


def _facts(entries: Sequence[ListEntry]) -> list[Fact]:
    done = [entry for entry in entries if entry.record.error is None]
    return [
        Fact("images", count(len(entries))),
        Fact("cells", count(sum(entry.listed.counts[0] or 0 for entry in done))),
        Fact("nuclei", count(sum(entry.listed.counts[1] or 0 for entry in done))),
        Fact("failed", count(len(entries) - len(done))),
        Fact("worth a look", count(sum(bool(entry.listed.flags) for entry in entries))),
    ]


def _comparisons(entries: Sequence[ListEntry]) -> Iterator[Markup]:
    """Yield the plots of all images; none where there is nothing to compare, or too much to read."""
    shown = [entry for entry in entries if entry.listed.area_unit]
    if not 2 <= len(shown) <= PER_PAGE:
        return
    names, facts = [entry.record.image for entry in shown], [entry.listed for entry in shown]
    if any(one.density is not None for one in facts):
        yield Markup(images_plot(names, "cells per mm²", {"cells": [one.density for one in facts]}))
    units = {one.area_unit for one in facts}
    if len(units) == 1:
        sizes = {word: [one.areas[place] for one in facts] for place, word in enumerate(("cells", "nuclei"))}
        yield Markup(images_plot(names, f"median area, {units.pop()}", sizes))
