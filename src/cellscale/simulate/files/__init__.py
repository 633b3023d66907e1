"""Simulated images and their truth as files."""

from cellscale.simulate.files.image_file import write_image

__all__ = ["write_image"]
