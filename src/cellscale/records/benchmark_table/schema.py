"""The columns of a benchmark record: one row for each image of a run.

The first columns are those of the table that deepcell-imaging keeps in BigQuery, with the same names and types, so
that both can be appended to one table; ours follow. Every column may be empty.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["COLUMNS", "STAGES", "Column", "Kind", "Stage", "bigquery_schema"]

Kind: TypeAlias = Literal["STRING", "FLOAT", "INTEGER", "BOOLEAN", "DATETIME"]
Stage: TypeAlias = Literal["preprocessing", "prediction", "postprocessing", "measurement"]

STAGES: tuple[Stage, ...] = ("preprocessing", "prediction", "postprocessing", "measurement")


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    kind: Kind
    """BigQuery's name of the type. A DATETIME is in UTC and has no offset."""
    description: str


_STAGE: tuple[tuple[str, Kind, str], ...] = (
    ("instance_type", "STRING", "Google Cloud machine type; empty elsewhere"),
    ("gpu_type", "STRING", "name of the machine's NVIDIA cards; empty for none"),
    ("num_gpus", "INTEGER", "how many it has"),
    ("success", "BOOLEAN", "whether the stage was finished; empty where it was not begun"),
    ("peak_memory_gb", "FLOAT", "largest resident size of the process meanwhile, in 10^9 bytes"),
    ("is_preemptible", "BOOLEAN", "whether it was a spot machine"),
)
_TIMES: dict[Stage, tuple[str, str, str]] = {
    "preprocessing": (
        "reading pixels, as wall time of all workers",
        "whole-image statistics and equalisation, without reading",
        "0: nothing is written",
    ),
    "prediction": (
        "reading pixels, as wall time of all workers, while the network computes",
        "the network, without writing; on a CPU it shares the cores with labelling",
        "keeping the network's maps",
    ),
    "postprocessing": (
        "reading maps back, as wall time of all workers",
        "labelling, as wall time had it the cores alone, and numbering; labelling runs while the network does",
        "writing the masks",
    ),
    "measurement": (
        "reading pixels, as wall time of all workers",
        "tracing and measuring, without reading",
        "writing tables, outlines and the QuPath project",
    ),
}
_BEFORE: tuple[Column, ...] = (
    Column("input_file_id", "STRING", "name of the image"),
    Column("numpy_size_mb", "FLOAT", "both channels that the network sees, uncompressed, in 10^6 bytes"),
    Column("pixels_m", "INTEGER", "pixels of the image (rows times columns, not millions)"),
    Column("compartment", "STRING", "both, whole-cell or nuclear"),
    Column("benchmark_datetime_utc", "DATETIME", "when the image was finished"),
    Column("success", "BOOLEAN", "whether the image was finished"),
    Column("cloud_region", "STRING", "Google Cloud region; empty elsewhere"),
)
_AFTER: tuple[Column, ...] = (
    Column("record_id", "STRING", "identifies the row: the same record written twice has the same"),
    Column("run_id", "STRING", "names the run"),
    Column("cellscale_version", "STRING", "version that did the work"),
    Column("engine", "STRING", "local, batch, dask, tasks, ..."),
    Column("network", "STRING", "name of the network"),
    Column("device", "STRING", "what computed the network: cpu (ONNX Runtime alone), cpu:native, cuda, ..."),
    Column("precision", "STRING", "number format of the network"),
    Column("cpu", "STRING", "name of the processor"),
    Column("cores", "INTEGER", "cores that could be used"),
    Column("machine_memory_gb", "FLOAT", "memory of the machine, in 10^9 bytes"),
    Column("workers", "INTEGER", "blocks worked on side by side, of whatever images"),
    Column("height_px", "INTEGER", "rows of the image"),
    Column("width_px", "INTEGER", "columns of the image"),
    Column("network_pixels", "INTEGER", "pixels at the network's pixel size"),
    Column("channels", "INTEGER", "channels of the image"),
    Column("sample_bytes", "INTEGER", "bytes of one channel of one pixel"),
    Column("file_mb", "FLOAT", "size of the image's file, in 10^6 bytes"),
    Column("output_mb", "FLOAT", "size of the image's outputs, in 10^6 bytes"),
    Column("cells", "INTEGER", "labels in the whole-cell mask"),
    Column("nuclei", "INTEGER", "labels in the nucleus mask"),
    Column("total_time_s", "FLOAT", "wall time of the image; stages that run side by side add up to more"),
    Column("total_processor_time_s", "FLOAT", "processor time of the process meanwhile, all threads together"),
    Column("side_by_side", "INTEGER", "images worked on at once at most; times are divided among those at work"),
    Column("labelling_processor_time_s", "FLOAT", "processor time of labelling, without numbering and masks"),
    Column("segmentation_time_s", "FLOAT", "wall time from the first statistics to the last mask"),
    Column("peak_memory_gb", "FLOAT", "largest resident size of the process, in 10^9 bytes"),
    Column("resumed", "BOOLEAN", "whether an earlier run had done a part of the work, which is not counted here"),
    Column("certified", "BOOLEAN", "whether every block proved its labels to be those of the whole image"),
    Column("certified_blocks", "INTEGER", "blocks that did, over all compartments"),
    Column("enlarged_blocks", "INTEGER", "blocks whose surroundings had to grow for that"),
    Column("largest_halo_px", "INTEGER", "surroundings that the most demanding block needed"),
)


def _stage_columns(stage: Stage) -> Iterator[Column]:
    for suffix, kind, text in _STAGE:
        yield Column(f"{stage}_{suffix}", kind, text)
    for suffix, text in zip(("input_load_time_s", "time_s", "output_write_time_s"), _TIMES[stage], strict=True):
        yield Column(f"{stage}_{suffix}", "FLOAT", text)
    if stage == "prediction":
        yield Column("prediction_model_load_time_s", "FLOAT", "loading the network; 0 where that was done before")
        yield Column("prediction_batch_size", "INTEGER", "tiles that the network was given at once")


COLUMNS: tuple[Column, ...] = (
    *_BEFORE,
    *(column for stage in STAGES[:3] for column in _stage_columns(stage)),
    *_stage_columns("measurement"),
    *(
        Column(f"{stage}_processor_time_s", "FLOAT", "processor time of all threads; of prediction without labelling")
        for stage in STAGES
    ),
    *_AFTER,
)
"""All columns, in the table's order."""


def bigquery_schema() -> list[dict[str, str]]:
    """Return the columns as the ``schema.fields`` of BigQuery's interface, which ``bq mk --schema`` takes as well."""
    return [
        {"mode": "NULLABLE", "name": column.name, "type": column.kind, "description": column.description}
        for column in COLUMNS
    ]
