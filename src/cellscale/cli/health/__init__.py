"""``cellscale doctor`` and what it checks."""
