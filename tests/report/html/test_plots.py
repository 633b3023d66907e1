"""Plots show the numbers that they are made from, at any scale, and names in them are text."""

from xml.etree import ElementTree

import numpy as np
import pytest

from cellscale.report.findings import Areas
from cellscale.report.html.plots import area_plot, channel_plot, density_plot, images_plot
from cellscale.report.html.svg import Plot
from tests.report.looks import HOSTILE, look


def texts(svg):
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("text")]


@pytest.mark.parametrize("scale", [1e-6, 0.3, 1, 7.7, 1e5, 1e12])
def test_numbers_at_an_axis_are_where_they_say(scale):
    plot = Plot("numbers", (374, 200), (40, 5, 10, 40), (0, 3 * scale), (2 * scale, 0))
    plot.x_axis("x")
    plot.y_axis("y")
    elements = [one for one in ElementTree.fromstring(plot.text()).iter("text") if one.text not in ("x", "y")]
    assert len(elements) >= 5
    for one in elements:
        value, x, y = float(one.text.replace(",", "")), float(one.get("x")), float(one.get("y"))
        if one.get("text-anchor") == "middle":
            assert x == pytest.approx(40 + 324 * value / (3 * scale), abs=0.1)
        else:
            assert y == pytest.approx(5 + 155 * value / (2 * scale) + 3.5, abs=0.1)


def test_names_are_text_in_every_plot():
    channels = look(channels=(*HOSTILE, "DAPI")).channels
    for svg in (channel_plot(channels), images_plot(HOSTILE, "median area", {"nuclei": [1.0] * len(HOSTILE)})):
        short = {name if len(name) <= 28 else f"{name[:17]}…{name[-10:]}" for name in HOSTILE}
        assert short <= set(texts(svg))


def test_a_map_of_any_shape_has_both_axes_and_a_key():
    for shape, tile in (((3000, 100_000), 512), ((100_000, 1), 512), ((1, 1), 64), ((16_000, 16_000), 64)):
        rows, columns = (-(-side // tile) for side in shape)
        for unit in (2.5e-7, None):
            words = texts(density_plot(np.ones((rows, columns), int).tolist(), shape, tile, unit))
            assert {"x, pixels", "y, pixels", "0"} <= set(words)


def test_one_mask_without_spread_has_a_distribution():
    areas = Areas.of(np.full(3, 7.0))
    assert {"nuclei", "% of all"} <= set(texts(area_plot({"nuclear": areas}, "µm²")))


def test_images_of_which_nothing_is_known_are_compared_without_marks():
    svg = ElementTree.fromstring(images_plot("ab", "median area", {"cells": [None, 3.0], "nuclei": [None, None]}))
    assert len(list(svg.iter("circle"))) == 2  # a cell's median and the legend
    assert len(list(svg.iter("rect"))) == 1
