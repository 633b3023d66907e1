"""A request travels to another machine and arrives as it was, or is refused."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.errors import RequestError
from cellscale.label.parameters import Parameters
from cellscale.pipeline.request import (
    ChannelChoice,
    ImageChoice,
    Measuring,
    NetworkChoice,
    OwnRequest,
    Request,
    Resources,
    Segmenting,
    request_from_json,
    request_to_json,
)
from cellscale.workspace.layout import WorkspacePaths, separate_paths, workspace_paths

texts = st.text(max_size=20)
positive = st.floats(1e-6, 1e6)
places = st.one_of(
    texts.filter(lambda text: "\0" not in text).map(lambda text: Path("/data") / text.replace("/", "_")),
    texts.map("gs://bucket/{}".format),
    texts.map("memory://a//b/{}".format),
)
paths = st.builds(
    WorkspacePaths,
    images=places, numpy=places | st.none(), segmasks=places, project=places | st.none(), reports=places, jobs=places,
)  # fmt: skip
parameters = st.builds(
    Parameters,
    maxima_threshold=positive,
    interior_threshold=st.floats(-1, 1),
    interior_smoothing=st.floats(0, 100),
    radius=st.integers(1, 50),
    small_objects=st.integers(0, 99),
)
requests = st.builds(
    Request,
    paths=paths,
    segment=st.booleans(),
    compartments=st.sampled_from([("whole-cell",), ("nuclear",), ("whole-cell", "nuclear")]),
    images=st.builds(ImageChoice, prefix=texts),
    channels=st.builds(
        ChannelChoice,
        nuclear=st.lists(texts, max_size=3).map(tuple),
        combine=st.sampled_from(["sum", "max"]),
        mpp=st.none() | positive,
    ),
    network=st.builds(NetworkChoice, path=st.none() | texts),
    segmenting=st.builds(Segmenting, whole_cell=parameters),
    measuring=st.builds(Measuring, exports=st.sampled_from([(), ("anndata",)])),
    resources=st.builds(
        Resources, workers=st.none() | st.integers(1, 99), max_memory=st.none() | st.integers(1, 2**50)
    ),
)


@pytest.mark.slow
@given(requests)
def test_there_and_back(request_) -> None:
    text = json.dumps(request_to_json(request_), allow_nan=False)
    back = request_from_json(json.loads(text))
    assert back == request_
    assert type(back.paths.images) is type(request_.paths.images)


def test_every_field_is_written() -> None:
    facts = request_to_json(Request(paths=workspace_paths("gs://bucket/d")))
    assert facts.keys() == {"format"} | {field.name for field in fields(Request)}
    assert facts["segmenting"]["whole_cell"].keys() == {field.name for field in fields(Parameters)}


def test_folders_in_separate_places() -> None:
    request = Request(paths=separate_paths(images="/data/a", segmasks="s3://bucket/masks"))
    assert request_from_json(request_to_json(request)) == request


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("nuclear_chanel", ["x"], "nuclear_chanel"),
        ("segment", 1, "segment"),
        ("segment", "true", "segment"),
        ("resources", {"workers": 1.5}, "resources.workers"),
        ("resources", {"workers": "2"}, "resources.workers"),
        ("channels", {"nuclear": "DAPI"}, "channels.nuclear"),
        ("compartments", ["cell"], "compartments"),
        ("channels", {"combine": "min"}, "channels.combine"),
        ("paths", {"images": "x"}, "paths.segmasks"),
        ("segmenting", {"whole_cell": {"maxima_threshold": 1, "radius": 0}}, "radius"),
        ("segmenting", {"whole_cell": {"maxima_threshold": 1, "radios": 3}}, "whole_cell.radios"),
    ],
)
def test_what_is_wrong_is_named(key, value, words) -> None:
    facts = request_to_json(Request(paths=workspace_paths("/d"))) | {key: value}
    with pytest.raises(RequestError, match=words):
        request_from_json(facts)


@pytest.mark.parametrize("facts", [None, [], {}, {"format": 1}, {"format": "2"}])
def test_other_formats_are_refused(facts) -> None:
    with pytest.raises(RequestError, match="reads 2"):
        request_from_json(facts)


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(RequestError, match="not finite"):
        request_to_json(Request(paths=workspace_paths("/d"), channels=ChannelChoice(mpp=float("inf"))))


def test_what_is_asked_of_some_images_travels_along() -> None:
    request = Request(paths=workspace_paths("/d"), resources=Resources(workers=2))
    own = replace(request, channels=ChannelChoice(mpp=0.3), resources=Resources(workers=9))
    whole = replace(request, own=(OwnRequest(images=("a", "b"), request=own),), settings="image_mpp = 0.3\n")
    back = request_from_json(json.loads(json.dumps(request_to_json(whole))))
    assert (back, back.settings) == (whole, whole.settings)
    assert back.of("a") == replace(request, channels=ChannelChoice(mpp=0.3))
    assert back.of("c") == request
    assert back.of("b").settings == ""
