#!/usr/bin/env bash
# SimpleITK 2.5.7 (numpy 2.5.5; Python 3.12 or newer): the median intensity of a labelled object.
# Guess: LabelIntensityStatisticsImageFilter.GetMedian of a uint16 image is the median, or within 1 % of it.
# Seen: it is the middle of one of 128 bins between the lowest and the highest intensity of the whole image. In an image
# of faint objects with one pixel of 65535, every object's median is 255.996, whatever it is: 7, 70 or 200. Mean,
# minimum and maximum are exact. SetNumberOfBins(65536) gives the median to half an intensity.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet simpleitk==2.5.7 numpy==2.5.5
cd "$folder"
venv/bin/python - <<'EOF'
import numpy as np
import SimpleITK

intensities = np.zeros((60, 60), np.uint16)
labels = np.zeros((60, 60), np.uint16)
for label, brightness in ((1, 7), (2, 70), (3, 200)):
    rows = slice(20 * (label - 1), 20 * label - 2)
    intensities[rows], labels[rows] = brightness, label
intensities[59, 59] = 65535  # a speck, in no object


def measured(bins=None):
    statistics = SimpleITK.LabelIntensityStatisticsImageFilter()
    if bins:
        statistics.SetNumberOfBins(bins)
    statistics.Execute(SimpleITK.GetImageFromArray(labels), SimpleITK.GetImageFromArray(intensities))
    return {label: (statistics.GetMedian(label), statistics.GetMean(label)) for label in (1, 2, 3)}


usual, fine = measured(), measured(65536)
print("bins of its own choice", usual, "65536 bins", fine)
for label, brightness in ((1, 7), (2, 70), (3, 200)):
    median, mean = usual[label]
    assert round(median, 3) == 255.996
    assert mean == brightness == np.median(intensities[labels == label])
    assert abs(fine[label][0] - brightness) <= 0.5
print("as described")
EOF
