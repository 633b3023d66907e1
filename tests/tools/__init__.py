"""Tests of the programs of contributors."""
