"""Looks and records of images that were never there."""

import numpy as np

from cellscale.records.machine import Machine
from cellscale.records.stage_cost import StageRecord
from cellscale.report.findings import Areas, ChannelLook, CompartmentLook, CropLook, Findings, Focus, webp
from cellscale.report.flags import Flag
from cellscale.report.image_record import CertificateRecord, ImageRecord
from cellscale.report.sample import describe

__all__ = ["HOSTILE", "look", "record"]

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=http://example.org/x onerror=alert(2)>',
    "../../etc/passwd",
    "javascript:alert(3)",
    "{{ 7 * 7 }} {% raw %}",
    "$\\frac{$ & </svg><script>alert(4)</script>",
    "größe µm 組織 %41 #1?a=b",
)
"""Names that would do harm if they were anything but text."""


def picture(side=300, seed=0):
    return webp(np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8))


def look(*, channels=("DAPI", "Membrane", "CD3"), side=300, flags=(), **changes):
    """Return what might be seen in an image."""
    rng = np.random.default_rng(1)
    areas = Areas.of(rng.gamma(8, 6, 500))
    facts = {
        "shape": (2048, 3000),
        "dtype": "uint16",
        "pixel_size": (0.5, 0.5),
        "pixel_size_source": "file",
        "nucleus": f"#1 {channels[0]} (by its usual name)",
        "membrane": f"#2 {channels[1]} (given)",
        "channels": tuple(
            ChannelLook(
                name=name,
                role=("nucleus", "membrane", "other")[min(place, 2)],
                intensities=describe([rng.gamma(2, 100, (64, 64)).astype(np.uint16)]),
            )
            for place, name in enumerate(channels)
        ),
        "sampled": 0.25,
        "compartments": {
            "whole-cell": CompartmentLook(count=500, areas=areas, at_border=31, alone=12),
            "nuclear": CompartmentLook(count=480, areas=areas, at_border=29, alone=4),
        },
        "tile": 512,
        "tiles": ((20, 30, 40, 50, 60, 1),) * 4,
        "focus": Focus(parts=24, blurred=1),
        "input": picture(side),
        "overlay": picture(side, 1),
        "thumbnail": picture(60, 1),
        "close_up": picture(40, 2),
        "crops": (
            CropLook(whys=("doubt",), x=512, y=0, width=512, height=512, input=picture(64), overlay=picture(64, 2)),
        ),
        "flags": tuple(Flag(name, f"something is wrong with {name}", f"look at {name}") for name in flags),
    }
    return Findings(**{**facts, **changes})


def record(image="image", **changes):
    """Return what might have become of an image."""
    facts = {
        "status": "done",
        "cells": 500,
        "nuclei": 480,
        "unmatched_nuclei": 5,
        "seconds": 12.5,
        "peak_memory": 1_200_000_000,
        "stages": (StageRecord("network", 8.0, 1_100_000_000, 16, 0.0), StageRecord("labels", 7.0, 10**9, 4, 3.0)),
        "machine": Machine(cpu="a processor", cores=2, memory=25 * 10**9),
        "network": "mesmer",
        "network_sha256": "ab" * 32,
        "parameters": {"whole-cell": {"radius": 2}, "nuclear": {"radius": 2}},
        "certificates": {"whole-cell": CertificateRecord(blocks=6, enlarged=1, largest_halo=64)},
        "versions": {"cellscale": "1.0"},
        "finished_utc": "2026-01-02T03:04:05.678",
    }
    return ImageRecord(image=image, **{**facts, **changes})
