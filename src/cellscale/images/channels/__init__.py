"""Which channels show nucleus and membrane, and what channels are called."""

from cellscale.images.channels.channel_choice import ChannelSelection, select_channels
from cellscale.images.channels.combining import Scaling, combined_dtype, combined_reader, scaled_reader
from cellscale.images.channels.given_names import GivenNames, has_own_names
from cellscale.images.channels.name_list import LIST_NAMES, parse_names
from cellscale.images.channels.usual_names import USUAL_NAMES_VERSION, usual_membrane, usual_nucleus

__all__ = [
    "LIST_NAMES",
    "USUAL_NAMES_VERSION",
    "ChannelSelection",
    "GivenNames",
    "Scaling",
    "combined_dtype",
    "combined_reader",
    "has_own_names",
    "parse_names",
    "scaled_reader",
    "select_channels",
    "usual_membrane",
    "usual_nucleus",
]
