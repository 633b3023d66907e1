"""What InstanSeg does with its maps, on the whole image at once, in plain NumPy and SciPy."""

import numpy as np
from scipy.ndimage import binary_dilation, maximum_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["whole_image_labels"]

AROUND = np.ones((3, 3), bool)


def whole_image_labels(maps, classifier):
    """Return labels of nuclei and of cells, numbered as cellscale does, and each without the other.

    Parameters
    ----------
    maps
        float32 ``(10, rows, columns)``.
    classifier
        Function from float32 ``(n, 4)`` to probabilities.
    """
    nuclei, cells = (merged(*seeded(maps[5 * part : 5 * part + 5], classifier)) for part in (0, 1))
    return (*paired(nuclei, cells), nuclei, cells)


def seeded(maps, classifier):
    """Return the owner of each pixel, and the mask of each seed."""
    height, width = maps.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    heights = maps[4] / np.float32(15) + np.float32(0.5)
    offsets = (1 / (1 + np.exp(-maps[:2])) - np.float32(0.5)) * np.float32(8)
    steps = [np.float32(length / 4 / max(length - 1, 1)) for length in (height, width)]
    owners, best, masks = np.zeros((height, width), int), np.zeros((height, width), np.float32), []
    for row, column in zip(*np.nonzero(peaks(heights)), strict=True):
        top, left = (min(max(at - 32, 0), max(size - 64, 0)) for at, size in ((row, height), (column, width)))
        window = (slice(top, top + 64), slice(left, left + 64))
        difference = offsets[(slice(None), *window)] - offsets[:, row, column][:, None, None]
        difference[0] += (columns[window] - column).astype(np.float32) * steps[1]
        difference[1] += (rows[window] - row).astype(np.float32) * steps[0]
        features = np.concatenate([difference, maps[(slice(2, 4), *window)]]).reshape(4, -1).T
        chances = classifier(features).reshape(rows[window].shape)
        filled = flooded(chances >= np.float32(0.53), (row - top, column - left))
        holes = ~flooded_background(filled) & ~filled
        chances = np.where(filled, chances, 0).astype(np.float32)
        chances[holes] = np.float32(0.53)
        mask = np.zeros((height, width), bool)
        mask[window] = filled | holes
        masks.append(mask)
        wins = chances > best[window]
        best[window] = np.where(wins, chances, best[window])
        owners[window] = np.where(wins, len(masks), owners[window])
    return owners, masks


def peaks(heights):
    highest = maximum_filter(heights, 11, mode="constant", cval=-np.inf)
    found = (heights == highest) & (heights > np.float32(0.7))
    for row, column in zip(*np.nonzero(found), strict=True):
        window = heights[max(row - 5, 0) : row + 6, max(column - 5, 0) : column + 6]
        first = np.argwhere(window == heights[row, column])[0] + [max(row - 5, 0), max(column - 5, 0)]
        found[row, column] = tuple(first) == (row, column)
    return found


def flooded(mask, seed):
    reached = np.zeros_like(mask)
    reached[seed] = True
    return grown_within(reached, mask)


def flooded_background(filled):
    return grown_within(~binary_dilation(filled, AROUND, 3), ~filled)


def grown_within(reached, allowed):
    for _ in range(64):
        further = binary_dilation(reached, AROUND) & allowed
        if (further == reached).all():
            break
        reached = further
    return reached


def merged(owners, masks):
    """Return the owners with one number for seeds that share more than 0.3 of the smaller one's pixels."""
    if not masks:
        return owners
    flat = np.array(masks).reshape(len(masks), -1).astype(np.int64)
    shared, areas = flat @ flat.T, flat.sum(axis=1)
    with np.errstate(invalid="ignore"):
        share = shared.astype(np.float32) / np.minimum(areas[:, None], areas[None]).astype(np.float32)
    _, parts = connected_components(coo_array(share > np.float32(0.3)), directed=False)
    first = np.array([np.flatnonzero(parts == part)[0] for part in parts])
    return np.concatenate([[0], first + 1])[owners]


def consecutive(labels):
    values, places = np.unique(labels, return_inverse=True)
    return places.reshape(labels.shape) + (0 if values[0] == 0 else 1)


def paired(nuclei, cells):
    """Return nuclei and cells with their final numbers."""
    if not nuclei.any():
        return nuclei, consecutive(cells)
    if not cells.any():
        return (consecutive(nuclei),) * 2
    nuclei, cells = consecutive(nuclei), consecutive(cells)
    sizes = np.bincount(nuclei.ravel())
    inside = np.zeros((nuclei.max() + 1, cells.max() + 1), int)
    np.add.at(inside, (nuclei, cells), 1)
    belongs = 2 * inside > sizes[:, None]
    belongs[0] = belongs[:, 0] = False
    largest = (belongs * sizes[:, None]).max(axis=0)
    keeps = belongs & (sizes[:, None] == largest[None])
    kept = np.flatnonzero(keeps.any(axis=1)).tolist()
    if not kept:
        return np.zeros_like(nuclei), np.zeros_like(cells)
    order = [*kept, *(n for n in range(1, len(sizes)) if n not in kept)]
    numbers = np.zeros(len(sizes), int)
    numbers[order] = np.arange(1, len(order) + 1)
    final = numbers[nuclei]
    of_cell = np.zeros(len(largest), int)
    for c in range(1, len(largest)):
        owners = [n for n in kept if belongs[n, c]]
        of_cell[c] = numbers[owners[0]] if owners else 0
    whole = np.where(final > 0, final, of_cell[cells])
    alone = np.where(whole == 0, cells, 0)
    return final, np.where(whole > 0, whole, np.where(alone > 0, consecutive(alone) + len(order), 0))
