"""Flags are raised for what is wrong, and for nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from cellscale.report.flags import Evidence, find_flags
from cellscale.report.sample import describe

GOOD = describe([np.random.default_rng(0).gamma(2, 100, (100, 100))])
BLANK = describe([np.zeros((10, 10))])
USUAL = Evidence(
    nucleus=GOOD,
    membrane=GOOD,
    membrane_text="#2 Membrane (by its usual name)",
    channels={"DAPI": GOOD, "Membrane": GOOD},
    counts={"whole-cell": 1000, "nuclear": 950},
    medians={"whole-cell": 90.0, "nuclear": 45.0},
    mpp_text="0.5 µm/px (file)",
    alone={"whole-cell": 80, "nuclear": 30},
    parts=40,
    blurred=1,
)


def names(**changes):
    return [flag.name for flag in find_flags(replace(USUAL, **changes))]


def test_usual_tissue_raises_no_flag():
    assert names() == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"nucleus": BLANK}, "blank-nucleus"),
        ({"counts": {"whole-cell": 0, "nuclear": 0}, "alone": {}, "medians": {}}, "empty"),
        ({"membrane": BLANK}, "blank-membrane"),
        ({"medians": {"nuclear": 3.0}}, "pixel-size"),
        ({"medians": {"nuclear": 600.0}}, "pixel-size"),
        ({"medians": {"whole-cell": 5000.0}}, "pixel-size"),
        ({"alone": {"nuclear": 500}}, "unmatched-nuclei"),
        ({"alone": {"whole-cell": 600}}, "cells-without-nucleus"),
        ({"channels": {"CD3": replace(GOOD, saturated=0.02)}}, "saturated"),
        ({"blurred": 12}, "out-of-focus"),
    ],
)
def test_each_fault_raises_its_flag_alone(changes, name):
    assert names(**changes) == [name]


@pytest.mark.parametrize(
    "changes",
    [
        {"membrane": None},
        {"membrane": BLANK, "counts": {"nuclear": 900}},
        {"counts": {"whole-cell": 12, "nuclear": 12}, "medians": {"nuclear": 3.0}, "alone": {"nuclear": 11}},
        {"medians": {}},
        {"alone": {}},
        {"parts": 0, "blurred": 0},
        {"parts": 2, "blurred": 1},
    ],
)
def test_what_was_asked_for_or_cannot_be_judged_raises_none(changes):
    assert names(**changes) == []


def test_flags_say_what_was_found_and_what_to_do():
    (flag,) = find_flags(replace(USUAL, medians={"nuclear": 3.0}))
    assert "3 µm²" in flag.text
    assert "0.5 µm/px (file)" in flag.text
    assert "--image_mpp" in flag.advice
    assert str(flag) == f"{flag.text}. {flag.advice}."
