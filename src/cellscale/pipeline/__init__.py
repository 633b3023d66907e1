"""One image from file to outputs."""
