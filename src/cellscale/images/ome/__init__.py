"""OME-XML: what it says of an image, and whether its file bears it out."""
