"""Benchmark records for tests."""

from datetime import datetime, timedelta

from cellscale.records.benchmark_table.row import record_id, validated

__all__ = ["row"]


def row(image="a", run="run-1", minute=0, **values):
    """Return a record of an image of 2 megapixels."""
    finished = datetime(2026, 1, 2, 3, 4, 5, 678000) + timedelta(minutes=minute)
    facts = {
        "input_file_id": image,
        "pixels_m": 2_000_000,
        "numpy_size_mb": 8.0,
        "success": True,
        "benchmark_datetime_utc": finished,
        "prediction_is_preemptible": None,
        "prediction_num_gpus": 0,
        "record_id": record_id(run, image, finished.isoformat()),
        "run_id": run,
        **values,
    }
    return validated(facts)
