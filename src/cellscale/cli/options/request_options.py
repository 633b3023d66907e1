"""The options that make a request, the same for segmenting and for measuring."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import click

from cellscale.cells.exporters import exporter_names
from cellscale.cli.options.area_options import AREA_OPTIONS, area_choice
from cellscale.cli.options.engine_options import ENGINE_OPTIONS
from cellscale.cli.options.segmenting_options import (
    SEGMENTING_OPTIONS,
    growth_of,
    label_parameters,
    preprocessing,
)
from cellscale.cli.options.shared_options import (
    Option,
    byte_size,
    name_list,
    one_of,
    option_in,
    positive_number,
)
from cellscale.errors import RequestError
from cellscale.pipeline.request import (
    ChannelChoice,
    ImageChoice,
    Measuring,
    NetworkChoice,
    Outputs,
    Request,
    Resources,
    Segmenting,
)
from cellscale.predict.devices import AUTO, DEVICES, PRECISIONS
from cellscale.predict.heads import COMPARTMENTS
from cellscale.storage.credentials import without_credentials
from cellscale.weights.catalogue import MODEL_NAMES, named_network
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["make_request", "request_options", "task_options"]

_images = option_in("Images")
_network = option_in("Network")
_outputs = option_in("Outputs")
_running = option_in("Running")


_SPATIALDATA = "spatialdata"
"""The export that is a folder of more than a table, and so no exporter's."""

_OPTIONS = [
    _images("--image_filter", metavar="PREFIX", default="", help="Only images whose names begin with PREFIX."),
    _images("--recursive", is_flag=True, help="Images in sub-folders as well, called by their path: folder_image."),
    _images(
        "--nuclear_channel",
        "nuclear_channels",
        metavar="NAMES",
        type=name_list,
        multiple=True,
        help="Channels that show nuclei, by name or by position (#1, #2, ...), separated by commas; repeatable; "
        "of DAPI|HH3 the first that is there. "
        "Default: the usual names (DAPI, Hoechst, ...).",
    ),
    _images(
        "--membrane_channel",
        "membrane_channels",
        metavar="NAMES",
        type=name_list,
        multiple=True,
        help="Channels that show membranes or cytoplasm. Default: the usual names; blank if there are none.",
    ),
    _images(
        "--channel_names",
        metavar="PATH_OR_URI",
        type=without_credentials,
        help="List of the channels' names: a table with a column marker_name or name, or a name a line; 'none' for "
        "the images' own. Default: markers.csv or panel.csv beside images without names.",
    ),
    _images(
        "--channel_axis",
        **one_of("C", "Z", "T"),
        help="What the channels were saved as: channels (the default), focal planes or time points.",
    ),
    _images(
        "--combine",
        **one_of("sum", "max", "mean"),
        default="sum",
        show_default=True,
        help="How several channels are merged into one.",
    ),
    _images(
        "--rescale_channels",
        **one_of("none", "percentile", "minmax", "zscore"),
        default="none",
        show_default=True,
        help="Rescale each of several channels before they are merged, so that a bright one does not outweigh the "
        "rest: to 0 to 1 up to --percentile or the largest value, or by mean and standard deviation; each of the "
        "whole image.",
    ),
    _images(
        "--image_mpp",
        metavar="MICROMETRES",
        type=positive_number,
        help="Size of a pixel. Default: from the image's metadata.",
    ),
    *AREA_OPTIONS,
    _images(
        "--compartment",
        **one_of("both", "whole-cell", "nuclear"),
        default="both",
        show_default=True,
        help="What to segment and measure.",
    ),
    _network(
        "--model",
        metavar=f"[{'|'.join(MODEL_NAMES)}|PATH_OR_URI]",
        help="The network, by name or as an .onnx file; 'cellscale models list' says what it takes and who may use "
        "it. Default: mesmer.",
    ),
    _network("--model_path", metavar="PATH_OR_URI", help="An .onnx file. Default: the installed weights."),
    _network("--model_hash", metavar="HASH", help="SHA-256 or MD5 that the model must have."),
    _network(
        "--batch_size", type=click.IntRange(min=1), metavar="TILES", help="Tiles that the network processes at once."
    ),
    _network(
        "--device",
        default=AUTO,
        metavar="DEVICE",
        help=f"Device that runs the network: {', '.join((AUTO, *DEVICES))}; cuda:1 or cuda:0,1 for chosen cards; "
        "cpu:native or cpu:onnxruntime for one of the two engines on a processor. "
        "Default: the best that works.",
    ),
    _network(
        "--precision",
        **one_of(*PRECISIONS),
        default="float32",
        show_default=True,
        help="Number format of the network. fp16 and bf16 are faster on devices that support them.",
    ),
    _outputs(
        "--overwrite",
        is_flag=True,
        help="Replace outputs that are already there; --overwrite=foreign also those of other programs, and "
        "those that you changed.",
    ),
    _outputs("--overwrite_foreign", is_flag=True, hidden=True),
    _outputs(
        "--mask_format",
        **one_of("tiff", "ome-zarr", "both"),
        default="tiff",
        show_default=True,
        help="File format.",
    ),
    _outputs(
        "--relabel",
        is_flag=True,
        help="Give each connected part of a mask a number of its own, as for masks of 0 and 255; with measure alone.",
    ),
    _outputs(
        "--matching",
        **one_of("one-to-one", "qupath-initializer"),
        default="one-to-one",
        show_default=True,
        help="How nuclei are matched with cells.",
    ),
    _outputs(
        "--qupath_version",
        **one_of("0.7", "0.5"),
        default="0.7",
        show_default=True,
        help="Version of QuPath to write for.",
    ),
    _outputs(
        "--export",
        "exports",
        **one_of(*exporter_names(), _SPATIALDATA),
        multiple=True,
        help="Write the tables in this format as well, spatialdata with image, masks and outlines; repeatable.",
    ),
    _outputs("--visualize", is_flag=True, help="Make pictures of the input and of the cells found."),
    _outputs("--no_report", is_flag=True, help="Do not write the report that is read in a browser."),
    _outputs("--report_single_file", is_flag=True, help="Write the report to one file as well: REPORTS/report.html."),
    _outputs("--keep_intermediates", is_flag=True, help="Keep the preprocessed image and the network's maps."),
    _running(
        "--check",
        **one_of("sample", "content"),
        default="sample",
        show_default=True,
        help="How an image is known to be the one of before: by size, times and parts of it, or by all its bytes.",
    ),
    _running(
        "--settings",
        metavar="FILE",
        multiple=True,
        type=without_credentials,
        help="Options from this file, a cellscale.toml or a sample sheet (.csv, .tsv), or the settings.toml of an "
        "earlier run; repeatable. Default: cellscale.toml in DATASET. Options given here win.",
    ),
    _running("--dry_run", is_flag=True, help="Say what would be done, and do nothing."),
    _running("--workers", type=click.IntRange(min=1), metavar="N", help="Blocks worked on side by side."),
    _running("--max_memory", type=byte_size, metavar="SIZE", help="Memory to stay under, as in 3GB."),
    _running(
        "--log_file", type=click.Path(dir_okay=False, path_type=Path), help="Log events to this file as JSON lines."
    ),
    _running("-v", "--verbose", "verbosity", count=True, help="Say more; twice: tracebacks as well."),
]


def request_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all options of a request."""
    for option in reversed([*_OPTIONS, *ENGINE_OPTIONS, *SEGMENTING_OPTIONS]):
        function = option(function)
    return function


def task_options(more: Sequence[Option]) -> Option:
    """Return what gives a command the options of a request whose tasks any scheduler starts, and further ones."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([*more, *_OPTIONS, *SEGMENTING_OPTIONS]):
            function = option(function)
        return function

    return decorate


def make_request(paths: WorkspacePaths, *, segment: bool, measure: bool, options: Mapping[str, Any]) -> Request:
    """Turn the values of the options into a request; the one place where flat words become parts.

    Raises
    ------
    RequestError
        A postprocessing parameter is out of its range, or options exclude each other.
    """
    if segment and options["relabel"]:
        raise RequestError("--relabel is for masks that are there already: give it to cellscale measure")
    area = area_choice(options)
    if options["keep_intermediates"] and area.is_part:
        raise RequestError("--keep_intermediates keeps maps of the whole image; leave it out, or the regions")
    if options["report_single_file"] and options["no_report"]:
        raise RequestError("--report_single_file and --no_report exclude each other: leave one out")
    if measure and _SPATIALDATA in options["exports"]:
        from cellscale.engines.spatial_exports import require_spatial_exports

        require_spatial_exports(paths.reports)
    compartment, growth = options["compartment"], growth_of(options)
    # Who only measures takes the masks that are there.
    of_nuclei = segment and growth is not None and compartment == "nuclear"
    name, path = named_network(options["model"], options["model_path"])
    return Request(
        paths=paths,
        segment=segment,
        measure=measure,
        compartments=COMPARTMENTS if compartment == "both" or of_nuclei else (compartment,),
        cells_of_nuclei=of_nuclei,
        dry_run=options["dry_run"],
        images=ImageChoice(prefix=options["image_filter"], **_named(options, "recursive", "check")),
        channels=ChannelChoice(
            names=options["channel_names"],
            axis=options["channel_axis"],
            nuclear=tuple(chain.from_iterable(options["nuclear_channels"])),
            membrane=tuple(chain.from_iterable(options["membrane_channels"])),
            combine=options["combine"],
            rescale=options["rescale_channels"],
            mpp=options["image_mpp"],
        ),
        area=area,
        preprocessing=preprocessing(options),
        network=NetworkChoice(
            name=name,
            path=path,
            checksum=options["model_hash"],
            **_named(options, "batch_size", "device", "precision"),
        ),
        segmenting=Segmenting(
            whole_cell=label_parameters("whole_cell", options, name),
            nuclear=label_parameters("nuclear", options, name),
            expand_cells=growth,
            **_named(options, "mask_format", "keep_intermediates"),
        ),
        measuring=Measuring(
            exports=tuple(name for name in options["exports"] if name != _SPATIALDATA),
            **_named(options, "relabel", "matching", "qupath_version"),
        ),
        outputs=Outputs(
            overwrite=options["overwrite"] or options["overwrite_foreign"],
            report=not options["no_report"],
            spatialdata=_SPATIALDATA in options["exports"],
            **_named(options, "overwrite_foreign", "report_single_file", "visualize"),
        ),
        resources=Resources(**_named(options, "workers", "max_memory")),
    )


def _named(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the options that are called as the fields that they become."""
    return {name: options[name] for name in names}
