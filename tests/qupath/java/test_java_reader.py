"""What is read can be written again."""

from io import BytesIO

import pytest

from cellscale.qupath.java.java_reader import BrokenStreamError, JavaReader, UnreadableError
from cellscale.qupath.java.java_stream import JavaStream
from cellscale.qupath.java.java_types import SERIALIZABLE, WRITE_METHOD, JavaArray, JavaClass, JavaObject
from cellscale.qupath.java.serial_classes import KNOWN
from tests.qupath.golden import CASES, VERSIONS, golden_project
from tests.qupath.java_reader import JavaArray as Array
from tests.qupath.java_reader import JavaObject as Object
from tests.qupath.java_reader import read_java


def reread(data: bytes, known=()) -> bytes:
    contents = JavaReader(data, known, lambda reader, thing, place: thing).read()
    stream = BytesIO()
    JavaStream(stream).write(contents)
    return stream.getvalue()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", [case for case in CASES if case != "BreastMIBI"])
def test_files_of_qupath_come_back_as_they_were(shared, case, version):
    data = (golden_project(shared, case, version) / "data/1/data.qpdata").read_bytes()
    again = reread(data)
    assert plain(read_java(again)) == plain(read_java(data))
    assert reread(again, KNOWN) == again


def plain(value):
    """Return what was read as values that compare with each other."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Object):
        fields = {name: plain(item) for name, item in value.fields.items()}
        return value.java_class, fields, plain(value.content)
    return (value.java_class, plain(value.values)) if isinstance(value, Array) else repr(value)


def test_a_superclass_may_write_contents_of_its_own():
    parent = JavaClass("Parent", 1, WRITE_METHOD, (("x", "I"),))
    child = JavaClass("Child", 2, SERIALIZABLE, (("y", "D"), ("s", "Ljava/lang/String;")), parent)
    nested = JavaObject(child, {"x": 1, "y": 0.5, "s": "é\x00\U0001f9eb"}, (), {parent: (b"abc", "more")})
    array = JavaArray(JavaClass("[Ljava.lang.Object;", 3, SERIALIZABLE), (nested, None, nested))
    stream = BytesIO()
    JavaStream(stream).write([b"first", nested, array, "x" * 70000])
    assert reread(stream.getvalue()) == stream.getvalue()
    (_, thing, again, _) = JavaReader(stream.getvalue(), (), lambda reader, thing, place: thing).read()
    assert thing.values["s"] == "é\x00\U0001f9eb"
    assert again.values == (thing, None, thing)
    assert thing.java_class.parent in thing.inherited


def test_what_ends_early_or_is_something_else_is_called_unreadable(shared):
    data = (golden_project(shared, "tiny", "0.5.1") / "data/1/data.qpdata").read_bytes()
    for damaged in (
        b"",
        b"edited",
        data[:1000],
        data[:4] + b"\x76" + data[5:],
        data[:9000] + b"\xff" * 40 + data[9040:],
    ):
        with pytest.raises(UnreadableError):
            reread(damaged)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_never_reached_the_disk_is_damage_wherever_it_begins(shared, version):
    data = (golden_project(shared, "tiny", version) / "data/1/data.qpdata").read_bytes()
    for start in range(100, len(data) - 200, 97):
        damaged = data[:start] + bytes(len(data) - start - 100) + data[-100:]
        with pytest.raises(BrokenStreamError):
            JavaReader(damaged, KNOWN, lambda reader, thing, place: thing).read()
