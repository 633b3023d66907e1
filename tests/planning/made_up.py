"""Records of a machine of known speed, as a run would have left them."""

import math
import random
from datetime import datetime

from cellscale.records.benchmark_table.row import record_id, validated

__all__ = ["KNOWN", "SHARE", "made_up_row", "made_up_rows"]

KNOWN = {
    "start": 0.5,
    "preparing": 0.4,
    "network": 0.2,
    "labelling": 0.6,
    "finishing": 0.1,
    "measuring": 0.3,
    "measuring_channel": 0.1,
}
"""Rates of the machine, in the units of `cellscale.records.rates.Rates`."""

SHARE = 0.8
"""Of its cores that work keeps busy."""


def made_up_row(side, channels=4, *, cores=2, noise=0.0, loading=1.5, chance=None, beside=1, **values):
    """Return the record of a square image that was worked on beside others; ``beside`` counts it."""
    chance = chance or random.Random(side + channels)

    def near(value):
        return value * math.exp(chance.gauss(0, noise))

    mpx = side * side / 1e6
    tiles = max(math.ceil((side - 256) / 192) + 1, 1) ** 2
    preparing, labelling = near(KNOWN["preparing"] * mpx / cores), near(KNOWN["labelling"] * mpx)
    window = near(KNOWN["network"] * tiles / cores) + labelling / cores
    finishing = near(KNOWN["finishing"] * mpx)
    measuring = near((KNOWN["measuring"] + KNOWN["measuring_channel"] * channels) * mpx / cores)
    work = KNOWN["start"] + loading + (preparing + window + measuring) * cores + finishing
    image, run = f"{side}-{channels}", values.pop("run", "made-up")
    facts = {
        "input_file_id": image,
        "record_id": record_id(run, image, "2026"),
        "run_id": run,
        "benchmark_datetime_utc": datetime(2026, 1, 1),
        "success": True,
        "resumed": False,
        "compartment": "both",
        "network": "mesmer",
        "device": "cpu",
        "precision": "float32",
        "cpu": "Known",
        "cores": cores,
        "workers": cores,
        "pixels_m": side * side,
        "network_pixels": side * side,
        "height_px": side,
        "width_px": side,
        "channels": channels,
        "output_mb": 6.0 * mpx,
        "preprocessing_time_s": preparing * 0.75,
        "preprocessing_input_load_time_s": preparing * 0.25,
        "prediction_time_s": window,
        "prediction_model_load_time_s": loading,
        "postprocessing_time_s": labelling / cores + finishing / 2,
        "postprocessing_output_write_time_s": finishing / 2,
        "engine": "local",
        "preprocessing_processor_time_s": preparing * cores,
        "prediction_processor_time_s": window * cores - labelling,
        "postprocessing_processor_time_s": labelling + finishing,
        "labelling_processor_time_s": labelling,
        "measurement_processor_time_s": measuring * cores,
        "total_processor_time_s": work,
        "measurement_time_s": measuring,
        "segmentation_time_s": preparing + window + finishing,
        "side_by_side": beside,
        "total_time_s": (KNOWN["start"] + finishing) / beside + loading + (preparing + window + measuring) / SHARE,
        "peak_memory_gb": near(0.8 + 0.2 * min(mpx / 4, 1)),
    }
    return validated(facts | values)


def made_up_rows(sides=(512, 1024, 2048, 3072), channels=(4, 12), **settings):
    """Return a record for each size and number of channels."""
    return [made_up_row(side, count, **settings) for side in sides for count in channels]
