"""From labels to cells: outlines, matching of nuclei, measurements, tables."""
