"""The serialization stream follows the protocol: strings, blocks, handles, templates."""

import struct
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cellscale.qupath.java import serial_classes
from cellscale.qupath.java.java_stream import JavaStream, modified_utf8
from cellscale.qupath.java.java_types import (
    EXTERNALIZABLE,
    SERIALIZABLE,
    Encoded,
    JavaArray,
    JavaClass,
    JavaEnum,
    JavaObject,
    Slot,
)
from tests.qupath import java_reader
from tests.qupath.golden import CASES, VERSIONS, golden_project
from tests.qupath.java_reader import JavaReader, decode_modified_utf8, read_java

BOX = JavaClass("Box", 1, EXTERNALIZABLE)
PAIR = JavaClass("Pair", 2, SERIALIZABLE, (("left", "Ljava/lang/Object;"), ("right", "Ljava/lang/Object;")))
NUMBER = JavaClass("Number", -3, SERIALIZABLE, (("value", "I"),))
DOUBLES = JavaClass("[D", 4, SERIALIZABLE)


def written(*contents) -> bytes:
    file = BytesIO()
    JavaStream(file).write(contents)
    return file.getvalue()


def box(*contents) -> JavaObject:
    return JavaObject(BOX, contents=contents)


@given(st.text(st.characters()))
@example("\x00µ\u2028\ud83e\U0001f9eb")
def test_strings_survive(text):
    assert decode_modified_utf8(modified_utf8(text)) == text
    assert read_java(written(text)) == [text]


def test_modified_utf8_is_javas():
    assert modified_utf8("A\x00é€") == b"A\xc0\x80\xc3\xa9\xe2\x82\xac"
    assert modified_utf8("\U0001f9eb") == bytes.fromhex("eda0beedb7ab")


@pytest.mark.parametrize("length", [0, 1, 65_535, 65_536, 70_000])
def test_strings_of_any_length(length):
    data = written("x" * length, "x" * length)
    assert data[4] == (0x74 if length < 65_536 else 0x7C)
    assert read_java(data) == ["x" * length] * 2
    assert len(data) < length + 20


@given(st.lists(st.binary(max_size=1500) | st.sampled_from(["a", None])))
def test_block_data_is_joined_and_cut(contents):
    joined = []
    for content in contents:
        if isinstance(content, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += content
        elif content != b"":
            joined.append(content)
    (read,) = read_java(written(box(*contents)))
    assert read.content == [content for content in joined if content != b""]


def test_blocks_are_at_most_1024_bytes():
    data = written(bytes(1024 + 255 + 1024))
    assert data[4:9] == b"\x7a" + struct.pack(">i", 1024)
    assert [len(block) for block in read_java(data)] == [1024, 1024, 255]
    assert data[-257:-255] == b"\x77\xff"


def test_shared_objects_are_written_once():
    shared = JavaObject(NUMBER, {"value": 7})
    first, second = read_java(written(JavaObject(PAIR, {"left": shared, "right": "name"}), box(shared, "name")))
    assert second.content[0] is first.fields["left"]
    assert second.content[1] is first.fields["right"]
    assert first.fields["left"].fields == {"value": 7}


def test_arrays_and_enums():
    numbers = JavaArray(DOUBLES, Encoded(struct.pack(">i2d", 2, 0.5, float("inf"))))
    kind = JavaEnum(serial_classes.IMAGE_TYPE, "FLUORESCENCE")
    values = JavaArray(serial_classes.OBJECT_ARRAY, (numbers, kind, None, numbers))
    (read,) = read_java(written(values))
    assert read.values[0].values == [0.5, float("inf")]
    assert read.values[1] == java_reader.JavaEnum("qupath.lib.images.ImageData$ImageType", "FLUORESCENCE")
    assert read.values[2] is None
    assert read.values[3] is read.values[0]


def test_template_copies_are_what_the_stream_would_write():
    def pair(part):
        return JavaObject(PAIR, {"left": JavaObject(NUMBER, {"value": part}), "right": "known"})

    def contents(stream, copies):
        yield pair(Encoded(b"\x00\x00\x00\x01"))
        template = stream.template(pair(Slot("value")))
        for value in (2, 3):
            part = struct.pack(">i", value)
            yield Encoded(part.join(template.pieces), template.handles) if copies else pair(Encoded(part))
        yield JavaObject(PAIR, {"left": "new", "right": "new"})
        yield "new"

    streams = []
    for copies in (False, True):
        file = BytesIO()
        stream = JavaStream(file)
        stream.write(contents(stream, copies))
        streams.append(file.getvalue())
    assert streams[0] == streams[1]
    assert [thing.fields["left"].fields["value"] for thing in read_java(streams[1])[:3]] == [1, 2, 3]
    assert read_java(streams[1])[4] == "new"


def test_a_template_defines_nothing():
    with pytest.raises(ValueError, match="not yet in the stream"):
        JavaStream(BytesIO()).template(box("text"))


def test_an_open_slot_is_refused():
    with pytest.raises(TypeError, match="'value' is open"):
        written(JavaObject(NUMBER, {"value": Slot("value")}))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_classes_are_described_as_qupath_does(shared, case, version):
    reader = JavaReader((golden_project(shared, case, version) / "data" / "1" / "data.qpdata").read_bytes())
    reader.read_stream()
    ours = {found.name: found for one in serial_classes.KNOWN for found in lineage(one)}
    theirs = {found.name: found for found in reader.handles if isinstance(found, java_reader.JavaClass)}
    assert len(theirs.keys() & ours.keys()) > 12
    for name in theirs.keys() & ours.keys():
        mine, other = ours[name], theirs[name]
        assert (mine.uid, mine.flags) == (other.uid, other.flags)
        assert list(mine.fields) == [(field, signature or kind) for kind, field, signature in other.fields]
        assert (mine.parent and mine.parent.name) == (other.parent and other.parent.name)


def lineage(java_class):
    while java_class is not None:
        yield java_class
        java_class = java_class.parent
