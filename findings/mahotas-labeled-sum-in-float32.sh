#!/usr/bin/env bash
# mahotas 1.4.19 (numpy 2.5.5; Python 3.12 or newer): the summed intensity of a large object.
# Guess: labeled_sum of a float32 image adds in double precision, as numpy's bincount and scipy's sum_labels do, or at
# least as exactly as numpy's own float32 sum, which adds pairwise.
# Seen: it adds one pixel after the other in float32. For one object of 4 million pixels with intensities from 10,000 to
# 20,000 the sum is 0.41 % too large; numpy's float32 sum is right to 1 part in 100 million. float64 images are summed exactly.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet mahotas==1.4.19 numpy==2.5.5
cd "$folder"
venv/bin/python - <<'EOF'
import mahotas
import numpy as np

intensities = (np.random.default_rng(0).random((2000, 2000)) * 1e4 + 1e4).astype(np.float32)
labels = np.ones(intensities.shape, np.int32)
exact = intensities.sum(dtype=np.float64)
off = mahotas.labeled.labeled_sum(intensities, labels)[1] / exact - 1
off_numpy = intensities.sum() / exact - 1
off_double = mahotas.labeled.labeled_sum(intensities.astype(np.float64), labels)[1] / exact - 1
print(f"mahotas float32 {off:.2%}, numpy float32 {off_numpy:.1e}, mahotas float64 {off_double:.1e}")
assert 0.003 < off < 0.006
assert abs(off_numpy) < 1e-7
assert abs(off_double) < 1e-12
print("as described")
EOF
