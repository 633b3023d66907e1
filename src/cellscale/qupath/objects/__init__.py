"""Cells and detections as QuPath's objects, laid out in bytes."""
