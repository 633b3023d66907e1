#!/bin/sh
# Installs cellscale beside its packages, lists them all, makes them small and compiles the kernels, while an image is built.
set -eu

tools/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir wheels .
tools/bin/pip --python /opt/cellscale/bin/python install --no-cache-dir --no-compile --no-deps wheels/*.whl
install --mode=0755 entry.sh /opt/cellscale/bin/entry
tools/bin/cyclonedx-py environment --output-reproducible --output-file /opt/cellscale/sbom.cdx.json /opt/cellscale/bin/python
python slim.py /opt/cellscale/lib/python3*/site-packages

tools/bin/python -c "from pathlib import Path
from mesmer_graph import mesmer_graph
from tiny_network import write_tiny_network
write_tiny_network(Path('tiny.onnx'), surround=31)
Path('mesmer.onnx').write_bytes(mesmer_graph(residual=True))"
/opt/cellscale/bin/python compile_kernels.py tiny.onnx mesmer.onnx targets.txt /tmp/kernels
install --mode=0644 targets.txt /opt/cellscale/targets.txt  # last: until now, kernels are for the kind that the variables name
chmod --recursive u=rwX,g=rwX,o=rX "$NUMBA_CACHE_DIR"
