"""The options about parts of images: regions that people drew, and tissue."""

from collections.abc import Mapping
from typing import Any

import click

from cellscale.cli.options.shared_options import Option, one_of, option_in
from cellscale.errors import RequestError
from cellscale.pipeline.request import AreaChoice, class_wanted, is_of_project
from cellscale.storage.credentials import without_credentials

__all__ = ["AREA_OPTIONS", "area_choice", "region_place"]

_images = option_in("Images")


def region_place(word: str) -> str:
    """Return where regions are from: a place without credentials, or the words for a QuPath project.

    Raises
    ------
    click.BadParameter
        A class is expected and not there.
    """
    if not is_of_project(word):
        return without_credentials(word)
    try:
        class_wanted(word)
    except RequestError as error:
        raise click.BadParameter(str(error)) from error
    return word


AREA_OPTIONS: list[Option] = [
    _images(
        "--regions",
        metavar="PATH_OR_URI|qupath[:CLASS]",
        type=region_place,
        help="Only cells whose centre is in a region: a GeoJSON file of polygons or circles in pixels, or a folder "
        "that has <image>.geojson; or annotations (of that class or name) or TMA cores of the dataset's QuPath "
        "project. Only what regions touch is computed.",
    ),
    _images(
        "--exclude",
        metavar="PATH_OR_URI|qupath[:CLASS]",
        type=region_place,
        help="Leave out cells whose centre is in one of these regions.",
    ),
    _images(
        "--tissue",
        **one_of("none", "auto"),
        default="none",
        show_default=True,
        help="auto: tell tissue from glass by brightness, and compute no glass; the report shows what was skipped.",
    ),
    _images(
        "--tissue_threshold",
        type=float,
        default=1.0,
        show_default=True,
        metavar="FACTOR",
        help="Of the brightness at which tissue begins: below 1 more becomes tissue.",
    ),
    _images(
        "--statistics",
        **one_of("image", "regions"),
        default="image",
        show_default=True,
        help="What brightness is judged by: the whole image, so that a region has the cells of the whole run; or the "
        "regions alone.",
    ),
]


def area_choice(options: Mapping[str, Any]) -> AreaChoice:
    """Return which part of images is asked for.

    Raises
    ------
    RequestError
        An option is out of its range, or needs another one.
    """
    names = ("regions", "exclude", "tissue", "tissue_threshold", "statistics")
    area = AreaChoice(**{name: options[name] for name in names})
    if area.statistics == "regions" and not area.is_part:
        raise RequestError(
            "--statistics regions needs --regions, --exclude or --tissue auto, which say what to judge by"
        )
    return area
