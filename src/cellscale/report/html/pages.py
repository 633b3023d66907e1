"""The page of one image in the report."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cellscale import __version__
from cellscale.predict.heads import Compartment
from cellscale.report.facts import extent, image_facts, made_facts, region_rows, unit
from cellscale.report.findings import Areas, Findings
from cellscale.report.html.place_marks import scale_bar
from cellscale.report.html.plots import area_plot, channel_plot, density_plot
from cellscale.report.html.words import FILTERS
from cellscale.report.image_record import ImageRecord
from cellscale.report.pictures import cell_size

__all__ = ["environment", "image_page", "image_words", "page_version"]

FEWEST_TILES = 9
"""Tiles that a map of density needs."""


def image_page(record: ImageRecord, look: Findings | None) -> str:
    """Return the page of one image as HTML."""
    return environment().get_template("image.html.j2").render(image_words(record, look))


def image_words(record: ImageRecord, look: Findings | None, prefix: str = "") -> dict[str, Any]:
    """Return what is told of one image, under the names that templates have for it.

    Parameters
    ----------
    record
        What became of it.
    look
        What was seen in it, where it was looked at.
    prefix
        Of the page's own names for its parts, where a page has several images.
    """
    flags = {str(flag) for flag in look.flags} if look is not None else set()
    parameters = record.parameters.values()
    return {
        "record": record,
        "look": look,
        "prefix": prefix,
        "facts": list(image_facts(record, look)),
        "made": list(made_facts(record, look)),
        "regions": region_rows(record, look),
        "extent": extent(look) if look is not None else "",
        "objects": "cells" if look is not None and "whole-cell" in look.compartments else "nuclei",
        "evened": look is not None and cell_size(look.shape) > 1,
        "bar": scale_bar(look, look.shape[1]) if look is not None else None,
        "bars": [scale_bar(look, crop.width) for crop in look.crops] if look is not None else [],
        "plots": _plots(look) if look is not None else {},
        "warnings": [text for text in record.warnings if text not in flags],
        "parameter_names": list(dict.fromkeys(name for values in parameters for name in values)),
    }


def page_version() -> bytes:
    """Return what changes whenever pages would look or read differently for the same facts."""
    parts = sorted(files("cellscale.report").joinpath("templates").iterdir(), key=lambda part: part.name)
    return b"\0".join([__version__.encode(), *(part.read_bytes() for part in parts)])


def _plots(look: Findings) -> dict[str, Markup | None]:
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
def environment() -> Environment:
    """Return the templates of pages."""
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
