"""What tests of several modules of the pipeline need."""

import pytest

from cellscale.pipeline.segmenting import block_store, preparation, tile_store


@pytest.fixture
def small_units(monkeypatch):
    """Make blocks, groups and steps so small that a test image has many."""

    def make(block, group, step):
        monkeypatch.setattr(block_store, "BLOCK", block)
        monkeypatch.setattr(tile_store, "GROUP", group)
        # Tiles that are no longer there when they are needed, and predictions that wait for labels.
        monkeypatch.setattr(tile_store, "SURROUNDINGS", block // 3)
        monkeypatch.setattr(tile_store, "ROWS_HELD", 2)
        monkeypatch.setattr(preparation, "STEP", step)

    return make
