#!/usr/bin/env bash
# anndata 0.12.3 with pandas 3.0.6 (Python 3.11 or newer): a table whose index is text.
# Guess: since anndata's own requirements admit that pandas, and pip installs both without a word, a table of cells with
# names can be written.
# Seen: writing it raises IORegistryError: pandas 3 keeps text as arrow strings, for which that anndata has no writer.
# From 0.12.7 on its requirements exclude pandas 3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet anndata==0.12.3 pandas==3.0.6 pyarrow==24.0.0 numpy==2.4.6
"$folder/venv/bin/pip" check
cd "$folder"
venv/bin/python -W ignore - <<'EOF'
import anndata
import numpy as np
import pandas

cells = anndata.AnnData(
    np.ones((2, 1), np.float32), obs=pandas.DataFrame({"area": [4.0, 5.0]}, index=pandas.Index(["cell-1", "cell-2"]))
)
try:
    cells.write_h5ad("cells.h5ad")
except Exception as error:
    print(type(error).__name__, str(error).splitlines()[0])
    assert type(error).__name__ == "IORegistryError"
else:
    raise SystemExit("it was written: the behaviour has changed")
EOF
echo "as described"
