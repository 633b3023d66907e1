"""``cellscale tune``: settings that are tried on a crop until the cells are good."""
