"""What a run is asked to do, in parts, and the same as JSON."""

from cellscale.pipeline.request.region_words import class_wanted, is_of_project
from cellscale.pipeline.request.request_json import request_from_json, request_to_json
from cellscale.pipeline.request.request_parts import (
    AreaChoice,
    ChannelAxis,
    ChannelChoice,
    Combine,
    ImageChoice,
    MaskFormat,
    Matching,
    Measuring,
    NetworkChoice,
    Outputs,
    OwnRequest,
    QuPathVersion,
    Request,
    Resources,
    Segmenting,
)
from cellscale.pipeline.request.typed_json import from_json, to_json

__all__ = [
    "AreaChoice",
    "ChannelAxis",
    "ChannelChoice",
    "Combine",
    "ImageChoice",
    "MaskFormat",
    "Matching",
    "Measuring",
    "NetworkChoice",
    "Outputs",
    "OwnRequest",
    "QuPathVersion",
    "Request",
    "Resources",
    "Segmenting",
    "class_wanted",
    "from_json",
    "is_of_project",
    "request_from_json",
    "request_to_json",
    "to_json",
]
