"""Everything that a user asks of a run, in the parts that its stages take."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from cellscale.errors import RequestError
from cellscale.images.combine_words import Combine
from cellscale.label.growth import Growth
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.predict.devices import Precision
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.preprocess.preprocessing import Preprocessing, RescaleChannels
from cellscale.storage.content import Check
from cellscale.workspace.layout import WorkspacePaths

__all__ = [
    "AreaChoice",
    "ChannelAxis",
    "ChannelChoice",
    "Combine",
    "ImageChoice",
    "MaskFormat",
    "Matching",
    "Measuring",
    "NetworkChoice",
    "Outputs",
    "OwnRequest",
    "QuPathVersion",
    "Request",
    "Resources",
    "Segmenting",
    "StatisticsOf",
    "TissueChoice",
]

ChannelAxis: TypeAlias = Literal["C", "Z", "T"]
_OF_RUN = (
    "paths", "segment", "measure", "compartments", "cells_of_nuclei", "dry_run", "images", "network", "outputs",
    "resources",
)  # fmt: skip
"""What is the same for all images of a run."""

MaskFormat: TypeAlias = Literal["tiff", "ome-zarr", "both"]
Matching: TypeAlias = Literal["one-to-one", "qupath-initializer"]
QuPathVersion: TypeAlias = Literal["0.7", "0.5"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChoice:
    """Which images of the dataset."""

    prefix: str = ""
    """Take only images whose name begins so; empty for all."""

    files: tuple[str, ...] = ()
    """Take only the files of these names; all if empty."""

    recursive: bool = False
    """Take the images of the folders below as well."""

    check: Check = "sample"
    """How much of an image is read to know whether it is the one of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChoice:
    """What of an image shows nuclei and membranes."""

    nuclear: tuple[str, ...] = ()
    """Names or ``#n`` positions (from 1) of the channels that show nuclei; empty: chosen by their usual names."""

    membrane: tuple[str, ...] = ()
    """Names or ``#n`` positions (from 1) of the channels that show membranes; empty: chosen by their usual names."""

    names: str | None = None
    """Path or URI of a list of the channels' names; None: one beside the images, ``none``: the files' own."""

    axis: ChannelAxis | None = None
    """The axis along which the files have their channels; None: that of channels."""

    combine: Combine = "sum"
    """How several channels become one."""

    rescale: RescaleChannels = "none"
    """How each of several channels is rescaled before, by facts of the whole image."""

    mpp: float | None = None
    """Micrometres per pixel; None: from the image's metadata."""


TissueChoice: TypeAlias = Literal["none", "auto"]
"""Whether glass is told from tissue, and how."""
StatisticsOf: TypeAlias = Literal["image", "regions"]
"""Of which pixels preprocessing takes percentiles and ranges."""
MOST_TISSUE_THRESHOLD = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaChoice:
    """Which part of each image."""

    regions: str | None = None
    """Path or URI of a GeoJSON file with regions, or of a folder with one for each image; or ``qupath``, or
    ``qupath:CLASS``, for those of the dataset's QuPath project; None: the whole image."""

    exclude: str | None = None
    """The same of what is left out; None: nothing."""

    tissue: TissueChoice = "none"
    """``auto`` where glass, told from tissue by its brightness, is not to be computed."""

    tissue_threshold: float = 1.0
    """Factor of the brightness at which tissue begins: below 1 more becomes tissue."""

    statistics: StatisticsOf = "image"
    """What preprocessing judges brightness by: the whole image, or what of it is wanted."""

    def __post_init__(self) -> None:
        """Raise `RequestError` where the factor is none."""
        if not 0 < self.tissue_threshold <= MOST_TISSUE_THRESHOLD:
            raise RequestError(
                f"the threshold of tissue is {self.tissue_threshold:g}; give a factor above 0, up to "
                f"{MOST_TISSUE_THRESHOLD:g}: below 1 more becomes tissue"
            )

    @property
    def is_part(self) -> bool:
        """Whether it is not the whole image."""
        return self.regions is not None or self.exclude is not None or self.tissue != "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChoice:
    """Which network, and what computes it."""

    name: str | None = None
    """What the network is called, as `cellscale models list` has it; None: ``mesmer``, or known by its file."""

    path: str | None = None
    """Path or URI of the network; None: the installed weights of that name."""

    checksum: str | None = None
    """SHA-256 or MD5 that the network's file must have."""

    batch_size: int | None = None
    """Tiles that the network takes at once; None: chosen for the machine."""

    device: str = "auto"
    """What computes the network, as `cellscale.predict.devices.parse_device` reads it."""

    precision: Precision = "float32"
    """Number format that the network computes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmenting:
    """How the network's maps become masks."""

    whole_cell: Parameters = WHOLE_CELL
    """How whole-cell maps become labels."""

    nuclear: Parameters = NUCLEUS
    """How nuclear maps become labels."""

    expand_cells: Growth | None = None
    """How far the labels of whole cells grow into the background around them; None for not at all."""

    mask_format: MaskFormat = "tiff"
    """File format of the masks."""

    keep_intermediates: bool = False
    """Keep the preprocessed image and the network's maps."""

    def parameters(self, compartment: Compartment) -> Parameters:
        """Return how the maps of a compartment become labels."""
        return self.whole_cell if compartment == "whole-cell" else self.nuclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How masks become tables and a QuPath project."""

    relabel: bool = False
    """Give each connected part of the labels of masks that are there a number of its own before measuring."""

    matching: Matching = "one-to-one"
    """How nuclei find their cells."""

    qupath_version: QuPathVersion = "0.7"
    """QuPath whose names of measurements and file formats are written."""

    exports: tuple[str, ...] = ()
    """Further formats of the table of cells, by the names of their exporters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What is made besides, and what becomes of what is there."""

    overwrite: bool = False
    """Make outputs again that are there already."""

    overwrite_foreign: bool = False
    """With ``overwrite``: also those of other programs, and those that a person changed."""

    visualize: bool = False
    """Make pictures of the input and of the cells found."""

    report: bool = True
    """Write the report that is read in a browser."""

    report_single_file: bool = False
    """Write it to one file as well, which can be mailed."""

    spatialdata: bool = False
    """Write a SpatialData folder for each image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """How much of a machine may be used."""

    workers: int | None = None
    """Blocks worked on side by side; None: as many as the machine's cores and memory allow."""

    max_memory: int | None = None
    """Bytes of memory to stay under; None: a share of what is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to do with which images, and how; not by which engine."""

    paths: WorkspacePaths
    """Folders of the dataset."""

    segment: bool = True
    """Make masks."""

    measure: bool = True
    """Make tables and the QuPath project from masks."""

    compartments: tuple[Compartment, ...] = COMPARTMENTS
    """What to segment and to measure."""

    cells_of_nuclei: bool = False
    """Whole cells are the nuclei, grown as `Segmenting` says, not what the network finds."""

    dry_run: bool = False
    """Only say what would be done."""

    images: ImageChoice = field(default_factory=ImageChoice)
    channels: ChannelChoice = field(default_factory=ChannelChoice)
    area: AreaChoice = field(default_factory=AreaChoice)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    network: NetworkChoice = field(default_factory=NetworkChoice)
    segmenting: Segmenting = field(default_factory=Segmenting)
    measuring: Measuring = field(default_factory=Measuring)
    outputs: Outputs = field(default_factory=Outputs)
    resources: Resources = field(default_factory=Resources)
    own: "tuple[OwnRequest, ...]" = ()
    """What is asked of some images in a way of their own."""

    settings: str = field(default="", compare=False)
    """The settings file that asks for the same again, which is kept with the run; empty for none."""

    @property
    def predicted(self) -> tuple[Compartment, ...]:
        """What the network has to find; a part of ``compartments`` where cells are made of nuclei."""
        return ("nuclear",) if self.cells_of_nuclei else self.compartments

    def of(self, image: str) -> "Request":
        """Return what is asked of one image: in its own way, as far as that is not the same for a whole run.

        Parameters
        ----------
        image
            The image's name.
        """
        own = next((one.request for one in self.own if image in one.images), self)
        return replace(
            own,
            own=(),
            settings="",
            measuring=replace(own.measuring, **_same(self.measuring, "qupath_version", "exports")),
            **_same(self, *_OF_RUN),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRequest:
    """What is asked of some images in a way of their own."""

    images: tuple[str, ...]
    """Names of the images."""

    request: Request
    """All that is asked of them; see `Request.of` for what of it counts."""


def _same(whole: object, *names: str) -> dict[str, Any]:
    return {name: getattr(whole, name) for name in names}
