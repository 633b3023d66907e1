from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from cellscale import __version__
from cellscale.engines.benchmark_rows import benchmark_rows
from cellscale.records.machine import Machine
from tests.engines.outcomes import MEASURING, SEGMENTING, outcome, request


@pytest.fixture
def row(tmp_path):
    (found,) = rows_of(request(tmp_path), [outcome()], "run-1")
    return found


rows_of = partial(benchmark_rows, engine="local")


def test_a_row_says_what_was_done_where_and_when(row):
    expected = {
        "input_file_id": "a",
        "pixels_m": 2_000_000,
        "numpy_size_mb": 8.0,
        "compartment": "both",
        "benchmark_datetime_utc": datetime(2026, 1, 2, 3, 4, 5, 678000),
        "success": True,
        "cloud_region": "us-central1",
        "prediction_instance_type": "n1-standard-8",
        "prediction_gpu_type": "Tesla T4",
        "prediction_num_gpus": 1,
        "prediction_is_preemptible": True,
        "prediction_batch_size": 16,
        "prediction_model_load_time_s": 1.25,
        "cellscale_version": __version__,
        "engine": "local",
        "device": "cuda",
        "certified": True,
        "certified_blocks": 4,
        "enlarged_blocks": 1,
        "largest_halo_px": 64,
        "cells": 7,
        "resumed": False,
        "network_pixels": 500_000,
    }
    assert {name: row[name] for name in expected} == expected


def test_times_of_stages_are_told_apart(row):
    expected = {
        "preprocessing_input_load_time_s": 0.75,  # 1.5 s in two threads
        "preprocessing_time_s": 2.25,
        "preprocessing_output_write_time_s": 0.0,
        "prediction_input_load_time_s": 1.5,
        "prediction_time_s": 9.5,
        "prediction_output_write_time_s": 0.5,
        "postprocessing_input_load_time_s": 0.1,
        "postprocessing_time_s": 4.5,  # 8 s in two threads, and numbering
        "postprocessing_output_write_time_s": 1.5,
        "measurement_input_load_time_s": 1.0,
        "measurement_time_s": 3.0,
        "measurement_output_write_time_s": 3.0,
        "segmentation_time_s": 17.0,  # the network works while blocks are labelled
        "total_time_s": 20.0,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_processor_time_is_told_apart_where_stages_share_the_cores(row):
    expected = {
        "preprocessing_processor_time_s": 3.5,
        "prediction_processor_time_s": 14.0,  # 22 s while blocks were labelled, 8 s of them for that
        "labelling_processor_time_s": 8.0,
        "postprocessing_processor_time_s": 9.25,
        "measurement_processor_time_s": 6.0,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_an_engine_that_does_not_know_processor_times_leaves_them_empty(tmp_path):
    stages = tuple(replace(record, processor_seconds=0.0) for record in SEGMENTING)
    (row,) = rows_of(request(tmp_path), [outcome(stages=stages)], "run-1")
    assert row["prediction_processor_time_s"] is None
    assert row["labelling_processor_time_s"] is None


def test_peaks_are_those_of_each_stage(row):
    peaks = [row[f"{stage}_peak_memory_gb"] * 1e9 for stage in ("preprocessing", "prediction", "measurement")]
    assert peaks == pytest.approx([400, 900, 700])
    assert row["peak_memory_gb"] == 2.0


def test_stages_of_one_image_may_be_of_several_machines(tmp_path):
    other = Machine(instance_type="n2-standard-8", cores=8)
    parts = [
        outcome(stages=SEGMENTING, finished_utc="2026-01-01T00:00:00"),
        outcome(stages=MEASURING, machine=other, finished_utc="2026-01-01T01:00:00", seconds=5.0),
    ]
    (row,) = rows_of(request(tmp_path), parts, "run-1")
    assert (row["prediction_instance_type"], row["measurement_instance_type"]) == ("n1-standard-8", "n2-standard-8")
    assert (row["total_time_s"], row["benchmark_datetime_utc"].hour) == (25.0, 1)


def test_a_kept_image_has_no_row_and_a_failed_one_says_where_it_failed(tmp_path):
    kept = outcome("kept", stages=(), status="kept")
    failed = outcome("failed", stages=SEGMENTING[:2], status="failed")
    unreadable = outcome("unreadable", stages=(), status="failed")
    rows = {row["input_file_id"]: row for row in rows_of(request(tmp_path), [kept, failed, unreadable], "run")}
    assert set(rows) == {"failed", "unreadable"}
    found = rows["failed"]
    assert (found["success"], found["preprocessing_success"], found["prediction_success"]) == (False, True, False)
    assert found["postprocessing_success"] is None
    assert rows["unreadable"]["preprocessing_success"] is False


def test_work_that_an_earlier_run_had_begun_is_marked(tmp_path):
    stages = (replace(SEGMENTING[2], earlier_units=3), *SEGMENTING[3:])
    (row,) = rows_of(request(tmp_path), [outcome(stages=stages)], "run-1")
    assert row["resumed"] is True
    assert row["preprocessing_success"] is None


def test_the_same_record_has_the_same_name_and_another_run_another(tmp_path):
    def name(run, **facts):
        (row,) = rows_of(request(tmp_path), [outcome(**facts)], run)
        return row["record_id"]

    assert name("run-1") == name("run-1")
    assert len({name("run-1"), name("run-2"), name("run-1", finished_utc="2026-01-02T03:04:06")}) == 3


def test_one_compartment_is_named(tmp_path):
    (row,) = rows_of(request(tmp_path, compartments=("nuclear",)), [outcome()], "run-1")
    assert row["compartment"] == "nuclear"
