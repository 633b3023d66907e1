#!/usr/bin/env python3
"""The same as ``cellscale segment``, for those who call a script."""

import sys

from cellscale.cli.main import cellscale

cellscale(["segment", *sys.argv[1:]], prog_name="cellscale")
