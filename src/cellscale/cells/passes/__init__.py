"""The passes over masks and channels: window by window, in bounded memory."""

from cellscale.cells.passes.connected_parts import Bands, numbered_parts

__all__ = ["Bands", "numbered_parts"]
