"""Maps that are hard to label, for Hypothesis and for examples."""

import numpy as np
from hypothesis import strategies as st
from scipy import ndimage

from cellscale.label.parameters import Parameters


def _noise(random, shape):
    return random.random(shape), random.random(shape)


def _hills(random, shape):
    """Smooth hills, like cells."""
    width = random.uniform(1, 4)
    maps = (ndimage.gaussian_filter(random.random(shape), width) for _ in range(2))
    return tuple((values - values.min()) / (np.ptp(values) + 1e-9) for values in maps)


def _steps(random, shape):
    """Few values, so that nearly everything ties."""
    maxima, interior = random.integers(2, 6, 2)
    return random.integers(0, maxima, shape) / 8, random.integers(0, interior, shape) / 4


def _terraces(random, shape):
    """Wide plateaus with some peaks on them."""
    maxima, interior = (np.round(hills * 6) / 6 for hills in _hills(random, shape))
    return maxima + 0.2 * (random.random(shape) < 0.02), interior


def _sponge(random, shape):
    """A winding mask with many holes and few markers."""
    return random.random(shape) < 0.03, random.random(shape) < 0.6


def _snake(random, shape):
    """One thin object that winds through the whole image, with one marker at its end."""
    interior = np.zeros(shape)
    interior[::2] = 1
    interior[1::4, -1] = 1
    interior[3::4, 0] = 1
    maxima = np.zeros(shape)
    maxima[0, 0] = 1
    return maxima, interior


def _flat(random, shape):
    """Constant maps: nothing, everything, no marker."""
    return np.full(shape, random.choice([0, 0.5])), np.full(shape, random.choice([0, 1]))


def _one_peak(random, shape):
    """One object as large as the image."""
    maxima = np.zeros(shape)
    maxima[random.integers(shape[0]), random.integers(shape[1])] = random.choice([0.05, 0.5])
    return maxima, np.ones(shape) - 0.3 * random.random(shape)


def _nested(random, shape):
    """Rings around each other, with small holes to fill."""
    rows, columns = np.indices(shape)
    distance = np.hypot(rows - shape[0] / 2, columns - shape[1] / 2)
    interior = (distance % 6 < 4) & (random.random(shape) > 0.05)
    return np.cos(distance) * 0.2 * (random.random(shape) < 0.2), interior


KINDS = (_noise, _hills, _steps, _terraces, _sponge, _snake, _flat, _one_peak, _nested)


@st.composite
def maps(draw, kinds=KINDS, side=48):
    """Maxima and interior, float32, of any shape up to ``side`` squared."""
    shape = draw(st.integers(1, side)), draw(st.integers(1, side))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    maxima, interior = draw(st.sampled_from(kinds))(random, shape)
    return np.asarray(maxima, np.float32), np.asarray(interior, np.float32)


TIE_FREE = (_noise, _hills)


def parameters():
    return st.builds(
        Parameters,
        maxima_threshold=st.sampled_from([0.01, 0.075, 0.1, 0.3]),
        interior_threshold=st.sampled_from([-0.1, 0.2, 0.45, 0.5]),
        interior_smoothing=st.sampled_from([0, 1, 2]),
        maxima_smoothing=st.sampled_from([0, 0, 1]),
        radius=st.sampled_from([1, 2, 2, 3]),
        small_objects=st.sampled_from([0, 4, 15]),
        holes=st.sampled_from([0, 4, 15, 60]),
        label_erosion=st.sampled_from([0, 0, 0, 1, 2, 7]),
    )
