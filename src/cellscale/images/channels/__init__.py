"""Which channels show nucleus and membrane, and what channels are called."""

from cellscale.images.channels.channel_choice import ChannelSelection, Combine, combined_reader, select_channels
from cellscale.images.channels.given_names import GivenNames, has_own_names
from cellscale.images.channels.name_list import LIST_NAMES, parse_names
from cellscale.images.channels.usual_names import USUAL_NAMES_VERSION, usual_membrane, usual_nucleus

__all__ = [
    "LIST_NAMES",
    "USUAL_NAMES_VERSION",
    "ChannelSelection",
    "Combine",
    "GivenNames",
    "combined_reader",
    "has_own_names",
    "parse_names",
    "select_channels",
    "usual_membrane",
    "usual_nucleus",
]
