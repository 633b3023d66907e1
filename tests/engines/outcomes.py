"""Requests and outcomes of runs that nobody ran."""

from cellscale.pipeline.outcome import ImageOutcome
from cellscale.records.image_facts import ImageFacts
from cellscale.records.machine import Machine
from cellscale.records.stage_cost import StageRecord
from cellscale.workspace.layout import workspace_paths
from tests.requests import request_for

__all__ = ["MEASURING", "SEGMENTING", "outcome", "request"]

SEGMENTING = (
    StageRecord("statistics", 2.0, 300, 4, 3.0, read_seconds=1.0, processor_seconds=3.5),
    StageRecord("equalisation", 1.0, 400, 4, 1.5, read_seconds=0.5),
    StageRecord("network", 10.0, 900, 8, 2.0, read_seconds=3.0, write_seconds=0.5, processor_seconds=19.0),
    StageRecord("labels", 12.0, 1000, 8, 8.0, read_seconds=0.2, processor_seconds=22.0),
    StageRecord("numbering", 0.5, 1000, 2, 0.0),
    StageRecord("masks", 1.5, 1000, 2, 0.0, processor_seconds=1.25),
)
MEASURING = (
    StageRecord("measurement", 4.0, 700, 1, 0.0, read_seconds=2.0, processor_seconds=6.0),
    StageRecord("tables", 2.0, 700, 9, 0.0),
    StageRecord("project", 1.0, 700, 9, 0.0),
)


def request(root, **options):
    """Return a request to segment and measure the dataset in ``root``."""
    return request_for(workspace_paths(root), **options)


def outcome(image="a", *, stages=SEGMENTING + MEASURING, status="done", **facts):
    """Return what became of an image of 2,000 x 1,000 pixels on a rented machine."""
    known = {
        "seconds": 20.0,
        "peak_memory": 2_000_000_000,
        "finished_utc": "2026-01-02T03:04:05.678",
        "machine": Machine(
            cpu="Xeon", cores=8, memory=32_000_000_000, gpu_type="Tesla T4", num_gpus=1, region="us-central1",
            instance_type="n1-standard-8", is_preemptible=True,
        ),
        "facts": ImageFacts(
            height=2000, width=1000, network_height=1000, network_width=500, channels=4, sample_bytes=2,
            file_bytes=10_000_000, output_bytes=3_000_000, workers=2, network="mesmer", batch_size=16, device="cuda",
            precision="float32", model_load_seconds=1.25, blocks=4, enlarged_blocks=1, largest_halo=64,
        ),
    }  # fmt: skip
    known |= {"cells": 7, "nuclei": 8, **facts}
    return ImageOutcome(image=image, status=status, stages=stages, **known)
