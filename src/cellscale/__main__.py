"""``python -m cellscale``."""

from cellscale.cli.main import main

main()
