#!/usr/bin/env python3
"""The same as ``cellscale segment-and-measure``, for those who call a script."""

import sys

from cellscale.cli.main import cellscale

cellscale(["segment-and-measure", *sys.argv[1:]], prog_name="cellscale")
