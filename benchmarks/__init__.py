"""Speed and memory, measured: each script prints what it found beside a reference from the same run."""

import cellscale  # noqa: F401 -- first of all, so that ONNX Runtime sends nothing to its maker
