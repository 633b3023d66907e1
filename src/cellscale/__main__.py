"""``python -m cellscale``."""

from cellscale.launch import main

main()
