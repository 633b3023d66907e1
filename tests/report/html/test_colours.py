"""Numbers have the colours of cividis, and axes the ticks, that matplotlib gives them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

from cellscale.report.html.colours import coloured
from cellscale.report.html.svg import round_numbers


def test_colours_are_those_of_matplotlib():
    shares = np.concatenate([np.linspace(0, 1, 1025), np.random.default_rng(0).random(10_000)])
    assert np.array_equal(coloured(shares), colormaps["cividis"](shares, bytes=True)[:, :3])
    assert coloured(shares.reshape(5, -1)).shape == (5, 2205, 3)


@given(
    high=st.floats(1e-9, 1e12) | st.integers(1, 10**9),
    share=st.sampled_from([0, 0, 0.5, -1, -0.25, 0.9]),
    most=st.integers(1, 14),
)
def test_ticks_are_those_of_matplotlib(high, share, most):
    low = share * high
    ticks = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    expected = ticks[(ticks >= low - slack) & (ticks <= high + slack)]
    assert np.array_equal(round_numbers((high, low), most), expected)


def test_an_axis_without_length_has_one_tick():
    assert round_numbers((3.0, 3.0), 5).tolist() == [3.0]
