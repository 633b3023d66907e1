"""Tests of regions that people drew."""
