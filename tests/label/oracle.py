"""What the labels should be, by scikit-image or by the plainest code there is, on the whole image at once."""

import heapq

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.morphology import disk, h_maxima
from skimage.segmentation import find_boundaries, relabel_sequential, watershed

FOUR = ndimage.generate_binary_structure(2, 1)


def expected_labels(maxima, interior, parameters, *, by_scikit_image=True):
    """Label whole maps; scikit-image breaks ties between markers in no order, the plain queue in raster order."""
    interior = ndimage.gaussian_filter(interior, parameters.interior_smoothing)
    maxima = ndimage.gaussian_filter(maxima, parameters.maxima_smoothing)
    markers = expected_markers(maxima, parameters.maxima_threshold, parameters.radius)
    mask = interior > np.float32(parameters.interior_threshold)
    flooded = (
        watershed(-interior, markers, mask=mask) if by_scikit_image else plain_watershed(interior, markers, mask)
    )
    return finished(flooded, parameters)


def expected_markers(maxima, height, radius):
    return label(h_maxima(maxima, h=height, footprint=disk(radius)))


def finished(labels, parameters):
    """Erode, remove small objects, fill holes, renumber."""
    labels = labels.copy()
    for _ in range(parameters.label_erosion):
        labels[find_boundaries(labels, mode="inner")] = 0
    labels[np.bincount(labels.ravel())[labels] < parameters.small_objects] = 0
    filled = labels.copy()
    for properties in regionprops(labels):
        if properties.euler_number < 1:
            patch = filled[properties.slice]
            regions, _ = ndimage.label(patch != properties.label, FOUR)
            small = (np.bincount(regions.ravel()) < parameters.holes)[regions] & (regions > 0)
            patch[small] = properties.label
    return relabel_sequential(filled)[0]


def plain_watershed(values, markers, mask):
    """Flood from high to low with a heap of (level, age); a level is the lowest value on the way."""
    labels = np.where(mask, markers, 0)
    heap = [(-values[place], age, place) for age, place in enumerate(zip(*np.nonzero(labels), strict=True))]
    heapq.heapify(heap)
    age = len(heap)
    while heap:
        level, _, (row, column) = heapq.heappop(heap)
        for place in ((row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column)):
            inside = 0 <= place[0] < labels.shape[0] and 0 <= place[1] < labels.shape[1]
            if inside and mask[place] and labels[place] == 0:
                labels[place] = labels[row, column]
                heapq.heappush(heap, (max(level, -values[place]), age, place))
                age += 1
    return labels
