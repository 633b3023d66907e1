"""Everything that a user asks of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.predict.devices import Precision
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["Combine", "MaskFormat", "Matching", "QuPathVersion", "Request", "Stages"]

Combine: TypeAlias = Literal["sum", "max"]
MaskFormat: TypeAlias = Literal["tiff", "ome-zarr", "both"]
Matching: TypeAlias = Literal["one-to-one", "qupath-initializer"]
QuPathVersion: TypeAlias = Literal["0.7", "0.5"]
Stages: TypeAlias = Literal["fused", "separate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to do with which images, and how."""

    paths: WorkspacePaths
    """Folders of the dataset."""

    segment: bool = True
    """Make masks."""

    measure: bool = True
    """Make tables and the QuPath project from masks."""

    image_filter: str = ""
    """Take only images whose name begins so; empty for all."""

    engine: str = "local"
    """Name of the engine that runs the work."""

    nuclear_channels: tuple[str, ...] = ()
    """Names or ``#n`` positions (from 1) of the channels that show nuclei; empty: chosen by their usual names."""

    membrane_channels: tuple[str, ...] = ()
    """Names or ``#n`` positions (from 1) of the channels that show membranes; empty: chosen by their usual names."""

    combine: Combine = "sum"
    """How several channels become one."""

    image_mpp: float | None = None
    """Micrometres per pixel; None: from the image's metadata."""

    compartments: tuple[Compartment, ...] = COMPARTMENTS
    """What to segment and to measure."""

    whole_cell: Parameters = WHOLE_CELL
    """How whole-cell maps become labels."""

    nuclear: Parameters = NUCLEUS
    """How nuclear maps become labels."""

    model_path: str | None = None
    """Path or URI of the network; None: the installed Mesmer weights."""

    model_hash: str | None = None
    """SHA-256 or MD5 that the network's file must have."""

    batch_size: int | None = None
    """Tiles that the network takes at once; None: chosen for the machine."""

    device: str = "auto"
    """What computes the network, as `cellscale.predict.devices.parse_device` reads it."""

    precision: Precision = "float32"
    """Number format that the network computes in."""

    workers: int | None = None
    """Blocks worked on side by side; None: as many as the machine's cores and memory allow."""

    max_memory: int | None = None
    """Bytes of memory to stay under; None: a share of what is free."""

    overwrite: bool = False
    """Make outputs again that are there already."""

    dry_run: bool = False
    """Only say what would be done."""

    keep_intermediates: bool = False
    """Keep the preprocessed image and the network's maps."""

    mask_format: MaskFormat = "tiff"
    """File format of the masks."""

    matching: Matching = "one-to-one"
    """How nuclei find their cells."""

    qupath_version: QuPathVersion = "0.7"
    """QuPath whose names of measurements and file formats are written."""

    exports: tuple[Literal["anndata"], ...] = ()
    """Further formats of the table of cells."""

    visualize: bool = False
    """Make pictures of the input and of the cells found."""

    report: bool = True
    """Write the report that is read in a browser."""

    env_config_uri: str | None = None
    """Path or URI of the description of a cloud environment."""

    segmentation_compute_config: str | None = None
    """Machine that segments, for engines that rent one."""

    measurement_compute_config: str | None = None
    """Machine that measures, for engines that rent one."""

    parallelism: int | None = None
    """Images worked on at the same time, for engines that rent machines; None: as many as the engine allows."""

    stages: Stages = "fused"
    """Whether a rented machine works on an image in one process or in one for each stage."""

    wait: bool = False
    """Wait for work that goes on elsewhere, rather than leave it."""

    dask_scheduler: str | None = None
    """Address of the Dask scheduler whose workers do the work; None: processes of this machine, for the run."""

    dask_workers: int | None = None
    """Processes of this machine, where no scheduler is given; None: as many as cores and memory allow."""

    verbosity: int = 0
    """How often ``-v`` was given."""

    log_file: Path | None = None
    """File to which events are logged as JSON lines; None for no log."""

    def parameters(self, compartment: Compartment) -> Parameters:
        """Return how the maps of a compartment become labels."""
        return self.whole_cell if compartment == "whole-cell" else self.nuclear
