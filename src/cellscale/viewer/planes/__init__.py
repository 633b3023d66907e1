"""Planes of an image as the browser asks for them: levels, tiles, contrast."""
