"""Stacks of Micro-Manager: each file with all channels of a position is an image."""

import json
import struct
from contextlib import closing

import numpy as np
import pytest

from cellscale.errors import ImageError
from cellscale.images.info import PixelSize
from cellscale.images.open import open_image

PLANES = np.random.default_rng(0).integers(0, 9999, (3, 20, 30), np.uint16)
NAMES = ("DAPI", "CD3", "PanCK")
UNNAMED = ["Channel 1", "Channel 2", "Channel 3"]
ELSEWHERE = '<OME UUID="urn:uuid:2"><BinaryOnly MetadataFile="t_MMStack_Pos0.ome.tif" UUID="urn:uuid:1"/></OME>'


def ome(positions=1, names=NAMES, file="t_MMStack_Pos{}.ome.tif", size='PhysicalSizeX="0.325" PhysicalSizeY="0.325"'):
    """Describe all positions, each in a file of its own, as the first file does."""
    images = []
    for position in range(positions):
        channels = "".join(f'<Channel ID="Channel:{position}:{n}" Name="{name}"/>' for n, name in enumerate(names))
        data = "".join(
            f'<TiffData FirstC="{c}" IFD="{c}" PlaneCount="1"><UUID FileName="{file.format(position)}">'
            f"urn:uuid:{position + 1}</UUID></TiffData>"
            for c in range(len(names))
        )
        images.append(
            f'<Image ID="Image:{position}" Name="Pos{position}"><Pixels ID="Pixels:{position}" '
            f'DimensionOrder="XYCZT" Type="uint16" SizeX="30" SizeY="20" '
            f'SizeC="{len(names)}" SizeZ="1" SizeT="1" {size}>{channels}{data}'
            "</Pixels></Image>"
        )
    return f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">{"".join(images)}</OME>'


def write_stack(path, planes, index, *, description="", summary=None, plane_facts=None):
    """Write a stack as micro-manager.org lays it out.

    Parameters
    ----------
    index
        Channel, slice, frame and position of each plane.
    """
    facts = {"MicroManagerVersion": "2.0.0", "Prefix": "t", "Channels": 3, "Slices": 1, "Frames": 1, "Positions": 1}
    head = json.dumps(facts | {"ChNames": list(NAMES), "PixelSize_um": 0.65} | (summary or {})).encode()
    body = bytearray(40 + len(head) + len(head) % 2)
    starts = []
    for number, plane in enumerate(planes):
        text = description.encode() + b"\0" if number == 0 and description else b""
        meta = json.dumps(plane_facts or {"ChannelIndex": number}).encode() + b"\0"
        start, tags = len(body), 10 + bool(text)
        data = start + 2 + 12 * tags + 4
        height, width = plane.shape
        entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
        entries += [(270, 2, len(text), data + plane.nbytes)] if text else []
        entries += [(273, 4, 1, data), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, plane.nbytes)]
        entries += [(51123, 2, len(meta), data + plane.nbytes + len(text))]
        starts.append(start)
        body += struct.pack("<H", tags) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        body += struct.pack("<I", 0) + plane.astype("<u2").tobytes() + text + meta
        body += b"\0" * (len(body) % 2)
        if number:
            at = starts[-2] + 2 + 12 * (10 + bool(number == 1 and description))
            body[at : at + 4] = struct.pack("<I", start)
    places = len(body)
    body += struct.pack("<II", 3453623, len(index))
    body += b"".join(struct.pack("<5I", *row, start) for row, start in zip(index, starts, strict=True))
    body[:8] = b"II*\0" + struct.pack("<I", starts[0])
    body[8:40] = struct.pack("<8I", 54773648, places, 0, 0, 0, 0, 2355492, len(head))
    body[40 : 40 + len(head)] = head
    path.write_bytes(body)
    return path


CHANNELS = [(channel, 0, 0, 0) for channel in range(3)]


def facts(path, planes=PLANES):
    image = open_image(path)
    np.testing.assert_array_equal(image.read(tuple(range(len(planes))), image.info.region), planes)
    image.close()
    return [channel.name for channel in image.info.channels], image.info.pixel_size


def warnings_of(path):
    with closing(open_image(path)) as image:
        return image.info.warnings


def test_names_and_micrometres_of_the_ome_xml(tmp_path):
    path = write_stack(tmp_path / "t_MMStack_Pos0.ome.tif", PLANES, CHANNELS, description=ome(names=("A", "B", "C")))
    assert facts(path) == (["A", "B", "C"], PixelSize(0.325, 0.325))


def test_what_the_ome_xml_does_not_say_is_in_the_summary(tmp_path):
    path = write_stack(tmp_path / "t_MMStack_Pos0.ome.tif", PLANES, CHANNELS, description=ome(size=""))
    assert facts(path) == (list(NAMES), PixelSize(0.65, 0.65))


@pytest.mark.parametrize(
    ("summary", "plane_facts", "expected"),
    [
        ({}, None, (list(NAMES), PixelSize(0.65, 0.65))),
        ({"ChNames": ["A"], "PixelSize_um": 0}, {"PixelSizeUm": 0.2}, (UNNAMED, PixelSize(0.2, 0.2))),
        ({"ChNames": None, "PixelSize_um": "x"}, {"a": 1}, (UNNAMED, None)),
    ],
)
def test_without_ome_xml(tmp_path, summary, plane_facts, expected):
    path = write_stack(tmp_path / "t_MMStack.tif", PLANES, CHANNELS, summary=summary, plane_facts=plane_facts)
    assert facts(path) == expected


def test_planes_are_in_the_order_of_channels_and_not_of_pages(tmp_path):
    path = write_stack(tmp_path / "t_MMStack.tif", PLANES[[2, 0, 1]], [CHANNELS[n] for n in (2, 0, 1)])
    assert facts(path)[0] == list(NAMES)


def test_positions_in_files_of_their_own_are_images_of_their_own(tmp_path):
    two = {"Positions": 2}
    places = [(tmp_path / f"t_MMStack_Pos{n}.ome.tif", [(c, 0, 0, n) for c in range(3)]) for n in range(2)]
    write_stack(places[0][0], PLANES, places[0][1], description=ome(2), summary=two)
    write_stack(places[1][0], PLANES[::-1], places[1][1], description=ELSEWHERE, summary=two)
    assert facts(places[0][0]) == (list(NAMES), PixelSize(0.325, 0.325))
    assert facts(places[1][0], PLANES[::-1]) == (list(NAMES), PixelSize(0.65, 0.65))
    assert warnings_of(places[0][0]) == ()


def test_several_positions_in_one_file(tmp_path):
    both = np.concatenate([PLANES, PLANES[::-1]])
    index = [(c, 0, 0, n) for n in range(2) for c in range(3)]
    with pytest.raises(ImageError, match="positions"):
        open_image(write_stack(tmp_path / "t_MMStack.tif", both, index, summary={"Positions": 2}))
    text = ome(2, file="t_MMStack.ome.tif").replace("urn:uuid:2", "urn:uuid:1")
    head, _, second = text.partition('<Image ID="Image:1"')
    for channel in range(3):
        second = second.replace(f'FirstC="{channel}" IFD="{channel}"', f'FirstC="{channel}" IFD="{channel + 3}"')
    text = f'{head}<Image ID="Image:1"{second}'
    path = write_stack(tmp_path / "t_MMStack.ome.tif", both, index, description=text, summary={"Positions": 2})
    assert facts(path) == (list(NAMES), PixelSize(0.325, 0.325))
    assert "holds 2 images of like size" in warnings_of(path)[0]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ([CHANNELS[0], CHANNELS[2], (0, 1, 0, 0)], ["3 channels declared", "3 planes of 2 channels, 2 focal planes"]),
        ([(0, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0)], ["3 channels declared"]),
        ([(0, n, 0, 0) for n in range(3)], ["3 channels declared", "of 1 channels, 3 focal planes"]),
    ],
)
def test_a_stack_without_all_of_its_planes_is_refused(tmp_path, index, words):
    path = write_stack(tmp_path / "t_MMStack.tif", PLANES, index)
    with pytest.raises(ImageError) as caught:
        open_image(path)
    for word in words:
        assert word in str(caught.value)


def test_planes_that_are_listed_and_not_there(tmp_path):
    path = write_stack(tmp_path / "t_MMStack.tif", PLANES, CHANNELS)
    data = bytearray(path.read_bytes())
    data[-4:] = struct.pack("<I", 7)
    path.write_bytes(data)
    with pytest.raises(ImageError, match="1 of 3 planes that the Micro-Manager stack lists are not there"):
        open_image(path)
