"""Which channels show nucleus and membrane, and what channels are called."""

from cellscale.images.channels.channel_choice import ChannelSelection, Combine, combined_reader, select_channels
from cellscale.images.channels.usual_names import usual_membrane, usual_nucleus

__all__ = [
    "ChannelSelection",
    "Combine",
    "combined_reader",
    "select_channels",
    "usual_membrane",
    "usual_nucleus",
]
