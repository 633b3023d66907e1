"""The pages of the report: one for each image, one for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cellscale import __version__
from cellscale.predict.heads import Compartment
from cellscale.report.facts import (
    COLUMNS,
    Fact,
    counts,
    density,
    extent,
    image_facts,
    made_facts,
    median_area,
    row,
    unit,
)
from cellscale.report.flags import Flag
from cellscale.report.look import Areas, Look
from cellscale.report.plots import area_plot, channel_plot, density_plot, images_plot
from cellscale.report.record import ImageRecord
from cellscale.report.words import FILTERS, count
from cellscale.workspace.layout import page_name

__all__ = ["Entry", "image_page", "index_entry", "index_page", "page_version"]

SIDE_BY_SIDE = 60
"""Images that are compared in a plot, at most."""
FEWEST_TILES = 9
"""Tiles that a map of density needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An image in the list of images."""

    record: ImageRecord
    link: str
    """To the image's page."""
    counts: tuple[int | None, int | None]
    """Cells and nuclei."""
    row: tuple[str, ...]
    """Its row of the table."""
    flags: tuple[Flag, ...] = ()
    overview: str | None = None
    """Small picture, WebP, base64."""
    crop: str | None = None
    """Small picture of a part up close."""
    density: float | None = None
    areas: tuple[float | None, float | None] = (None, None)
    """Median areas of cells and nuclei."""
    area_unit: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What the list says."""
        counted = zip(self.counts, ("cells", "nuclei"), strict=True)
        return tuple(f"{value:,} {word}" for value, word in counted if value is not None)


def image_page(record: ImageRecord, look: Look | None) -> str:
    """Return the page of one image as HTML."""
    flags = {str(flag) for flag in look.flags} if look is not None else set()
    parameters = record.parameters.values()
    return (
        _environment()
        .get_template("image.html.j2")
        .render(
            record=record,
            look=look,
            facts=list(image_facts(record, look)),
            made=list(made_facts(record, look)),
            extent=extent(look) if look is not None else "",
            objects="cells" if look is not None and "whole-cell" in look.compartments else "nuclei",
            plots=_plots(look) if look is not None else {},
            warnings=[text for text in record.warnings if text not in flags],
            parameter_names=list(dict.fromkeys(name for values in parameters for name in values)),
        )
    )


def index_entry(record: ImageRecord, look: Look | None) -> Entry:
    """Return what the page of all images says of one; the look itself need not be kept for it."""
    link = quote(page_name(record.image), safe="")
    found, columns = counts(record, look), row(record, look)
    if look is None:
        return Entry(record=record, link=link, counts=found, row=columns)
    areas = tuple(median_area(look.compartments.get(compartment)) for compartment in ("whole-cell", "nuclear"))
    return Entry(
        record=record,
        link=link,
        counts=found,
        row=columns,
        flags=look.flags,
        overview=look.thumbnail,
        crop=look.close_up or None,
        density=density(look),
        areas=(areas[0], areas[1]),
        area_unit=unit(look),
    )


def index_page(title: str, entries: Sequence[Entry]) -> str:
    """Return the page of all images as HTML."""
    done = [entry for entry in entries if entry.record.error is None]
    facts = [
        Fact("images", count(len(entries))),
        Fact("cells", count(sum(entry.counts[0] or 0 for entry in done))),
        Fact("nuclei", count(sum(entry.counts[1] or 0 for entry in done))),
        Fact("failed", count(len(entries) - len(done))),
        Fact("worth a look", count(sum(bool(entry.flags) for entry in entries))),
    ]
    return (
        _environment()
        .get_template("index.html.j2")
        .render(title=title, facts=facts, entries=entries, columns=COLUMNS, plots=list(_comparisons(entries)))
    )


def page_version() -> bytes:
    """Return what changes whenever pages would look or read differently for the same facts."""
    parts = sorted(files("cellscale.report").joinpath("templates").iterdir(), key=lambda part: part.name)
    return b"\0".join([__version__.encode(), *(part.read_bytes() for part in parts)])


def _comparisons(entries: Sequence[Entry]) -> Iterator[Markup]:
    """Yield the plots of all images; none where there is nothing to compare, or too much to read."""
    shown = [entry for entry in entries if entry.overview is not None]
    if not 2 <= len(shown) <= SIDE_BY_SIDE:
        return
    names = [entry.record.image for entry in shown]
    if any(entry.density is not None for entry in shown):
        yield Markup(images_plot(names, "cells per mm²", {"cells": [entry.density for entry in shown]}))
    units = {entry.area_unit for entry in shown}
    if len(units) == 1:
        sizes = {word: [entry.areas[place] for entry in shown] for place, word in enumerate(("cells", "nuclei"))}
        yield Markup(images_plot(names, f"median area, {units.pop()}", sizes))


def _plots(look: Look) -> dict[str, Markup | None]:
    """Return an image's plots; those are SVG of our own making."""
    areas: dict[Compartment, Areas] = {
        compartment: found.areas for compartment, found in look.compartments.items() if found.areas is not None
    }
    size = look.pixel_size
    tiles = sum(map(len, look.tiles))
    place = None
    if tiles >= FEWEST_TILES and areas:
        place = density_plot(look.tiles, look.shape, look.tile, size[0] * size[1] / 1e6 if size else None)
    return {
        "areas": Markup(area_plot(areas, unit(look))) if areas else None,
        "density": Markup(place) if place else None,
        "channels": Markup(channel_plot(look.channels)),
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cellscale.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    style = files("cellscale.report").joinpath("templates", "style.css").read_text(encoding="utf-8")
    environment.globals.update(style=Markup(style), version=__version__)
    return environment
