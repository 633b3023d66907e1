"""TIFF files: OME-TIFF, ImageJ and plain ones, read by region."""
