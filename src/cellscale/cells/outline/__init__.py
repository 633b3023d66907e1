"""Outlines of labelled objects: traced, packed, and what is measured on them."""

from cellscale.cells.outline.shapes import Shapes

__all__ = ["Shapes"]
