"""What a TIFF's metadata claim is held against what the file holds, before anything is made of it."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.errors import ImageError
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.regions import Region

PIXELS = np.arange(3 * 20 * 40, dtype=np.uint16).reshape(3, 20, 40)
NAMES = ("DAPI", "CD3", "PanCK")
SCHEMA = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def ome_image(data, number=0, names=NAMES, mpp=0.5, **sizes):
    sides = {"X": 40, "Y": 20, "C": 3, "Z": 1, "T": 1} | sizes
    channels = "".join(f'<Channel ID="Channel:{number}:{i}" Name="{name}"/>' for i, name in enumerate(names))
    return (
        f'<Image ID="Image:{number}"><Pixels ID="Pixels:{number}" DimensionOrder="XYCZT" Type="uint16" '
        + " ".join(f'Size{axis}="{size}"' for axis, size in sides.items())
        + f' PhysicalSizeX="{mpp}" PhysicalSizeY="{mpp}">{channels}{data}</Pixels></Image>'
    )


def written(path, *images, pixels=PIXELS, compression="zlib"):
    xml = f'<?xml version="1.0"?><OME {SCHEMA} UUID="urn:uuid:0">{"".join(images)}</OME>'
    with tifffile.TiffWriter(path) as writer:
        for number, page in enumerate(pixels):
            writer.write(
                page, description=xml.encode() if number == 0 else None, metadata=None, compression=compression,
                photometric="minisblack", contiguous=False,
            )  # fmt: skip
    return path


def refused(path, *words, opened=TiffImage):
    with pytest.raises(ImageError) as caught:
        opened(path)
    for word in (path.name, *words):
        assert word in str(caught.value)


def each(*ifds):
    return "".join(f'<TiffData FirstC="{c}" IFD="{ifd}" PlaneCount="1"/>' for c, ifd in enumerate(ifds))


@pytest.mark.parametrize(
    "data", ["<TiffData/>", '<TiffData IFD="0" PlaneCount="3"/>', each(0, 1, 2), each(2, 0, 1)], ids=str
)
def test_planes_are_where_they_are_said_to_be(tmp_path: Path, data) -> None:
    path = written(tmp_path / "x.ome.tif", ome_image(data))
    with TiffImage(path) as image:
        found = image.read((0, 1, 2), image.info.region)
        np.testing.assert_array_equal(found, PIXELS[[2, 0, 1]] if 'IFD="2"' in data[:40] else PIXELS)
        assert image.info.warnings == ()


@pytest.mark.parametrize(
    ("data", "sizes", "words"),
    [
        (each(0, -1, 2), {}, ('IFD="-1"', "from 0 on")),
        (each(0, "1_0", 2), {}, ('IFD="1_0"',)),
        ('<TiffData IFD="0" PlaneCount="-3"/>', {}, ('PlaneCount="-3"',)),
        ('<TiffData IFD="0" PlaneCount="3" FirstC="-1"/>', {}, ('FirstC="-1"',)),
        (each(0, 1, 2), {"C": "0"}, ('SizeC="0"', "from 1 on")),
        (each(0, 1, 2), {"C": "3_0"}, ('SizeC="3_0"',)),
        (each(0, 1, 2), {"C": 2}, ("2 planes (SizeC 2 x SizeZ 1 x SizeT 1)",)),
        ('<TiffData IFD="0" PlaneCount="3"/>', {"C": 2}, ("2 planes",)),
        ("<TiffData/>", {"C": 2}, ("declares 2 channels and describes 3",)),
        (each(0, 1, 2), {"C": 4}, ("declares 4 planes", "3 pages")),
        (each(0, 1, 1), {}, ("names page 2 2 times",)),
        (each(0, 1, 2).replace('FirstC="2"', 'FirstC="1"'), {}, ("names plane 2 2 times",)),
        (each(0, 1, 9), {}, ("declares 3 planes", "there are 2 pages")),
        (each(0, 1, 2), {"X": 20}, ("not in this file",)),
        ("<TiffData/>", {"C": 10**6, "Z": 10**6}, ("1,000,000,000,000 planes", "3 pages")),
        ('<TiffData IFD="0" PlaneCount="1000000000"/>', {"C": 10**9}, ("1,000,000,000 pages", "there are 3")),
        ('<TiffData IFD="7" PlaneCount="1000000000"/>', {"C": 10**9}, ("1,000,000,000 pages", "there are 3")),
    ],
    ids=str,
)  # fmt: skip
def test_counts_and_places_that_cannot_be(tmp_path: Path, data, sizes, words) -> None:
    path = written(tmp_path / "x.ome.tif", ome_image(data, **sizes))
    tracemalloc.start()
    refused(path, *words)
    assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    tracemalloc.stop()


def test_pages_that_all_are_planes_are_not_left_out(tmp_path: Path) -> None:
    refused(written(tmp_path / "x.ome.tif", ome_image("<TiffData/>", names=(), C=2)), "2 planes", "3 pages")


def test_pages_that_are_not_described_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ome.tif", ome_image(each(0, 1), names=NAMES[:2], C=2))
    with TiffImage(path) as image:
        (warning,) = image.info.warnings
    assert "1 more pages of the image's size (the first is page 3) are not worked on" in warning


def test_planes_of_another_file_that_is_not_there_cost_no_memory(tmp_path: Path) -> None:
    data = '<TiffData PlaneCount="1000000000"><UUID FileName="b.ome.tif">urn:uuid:9</UUID></TiffData>'
    refused(written(tmp_path / "x.ome.tif", ome_image(data, C=10**9)), "1,000,000,000")


def test_a_damaged_size_does_not_let_a_smaller_image_be_taken(tmp_path: Path) -> None:
    first = ome_image('<TiffData IFD="0" PlaneCount="2"/>', names=NAMES[:2], C=2, Y=10)
    second = ome_image('<TiffData IFD="2" PlaneCount="1"/>', 1, names=("label",), C=1, X=10, Y=5)
    path = written(tmp_path / "x.ome.tif", first, second, pixels=[*PIXELS[:2], PIXELS[2, :5, :10]])
    refused(path, "10 x 40 pixels", "20 x 40")


@pytest.mark.parametrize("data", ["<MetadataOnly/>", "elsewhere"])
def test_names_and_pixel_size_are_of_the_image_whose_pages_are_read(tmp_path: Path, data) -> None:
    if data == "elsewhere":
        data = '<TiffData IFD="0" PlaneCount="3"><UUID FileName="gone.ome.tif">urn:uuid:9</UUID></TiffData>'
    other = ome_image(data, 0, names=("a", "b", "c"), mpp=9)
    path = written(tmp_path / "x.ome.tif", other, ome_image('<TiffData IFD="0" PlaneCount="3"/>', 1))
    with TiffImage(path) as image:
        assert [one.name for one in image.info.channels] == list(NAMES)
        assert image.info.pixel_size.x == 0.5


@pytest.mark.parametrize("kind", ["imagej", "tifffile"])
def test_a_stack_of_one_page_has_all_its_planes(tmp_path: Path, kind) -> None:
    options = {"imagej": True} if kind == "imagej" else {"photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "x.tif", PIXELS, truncate=True, metadata={"axes": "CYX"}, **options)
    with TiffImage(tmp_path / "x.tif") as image:
        np.testing.assert_array_equal(image.read((0, 1, 2), Region(0, 0, 20, 40)), PIXELS)
    content = (tmp_path / "x.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[:-100])
    refused(tmp_path / "cut.tif", "damaged" if kind == "imagej" else "truncated")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    "description",
    [
        "ImageJ=1.54f\nimages=3\nchannels=2\n", "ImageJ=1.54f\nimages=1000000000\nchannels=1000000000\n",
        "ImageJ=1.54f\nchannels=3_0\n", '{"shape": [1000000000, 20, 40]}', '{"shape": [6, 20, 40]}',
    ],
)  # fmt: skip
def test_descriptions_of_another_number_of_planes(tmp_path: Path, description, compression) -> None:
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for number, page in enumerate(PIXELS):
            text = description if number == 0 else None
            writer.write(page, description=text, metadata=None, compression=compression, photometric="minisblack")
    refused(tmp_path / "x.tif")


def test_axes_in_another_order_than_pages_have_are_refused(tmp_path: Path) -> None:
    pixels = np.moveaxis(PIXELS[:2], 0, 2)
    tifffile.imwrite(tmp_path / "x.tif", pixels, metadata={"axes": "YXC"}, photometric="minisblack")
    refused(tmp_path / "x.tif", "axes YXC", "CYX")


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("ImageWidth", 10**9, ("GiB",)), ("ImageLength", 10**9, ("listed",)), ("SamplesPerPixel", 60_000, ()),
        ("ImageWidth", 10**7, ("fewer bytes than its pixels can be packed into",)),
    ],
)  # fmt: skip
def test_sizes_that_a_page_cannot_have(tmp_path: Path, tag, value, words) -> None:
    tifffile.imwrite(tmp_path / "x.tif", PIXELS[0], metadata=None, compression="zlib")
    with tifffile.TiffFile(tmp_path / "x.tif", mode="r+b") as tiff:
        tiff.pages[0].tags[tag].overwrite(value)
    refused(tmp_path / "x.tif", *words)


LISTS = [
    ("StripByteCounts", (0,), {}), ("StripOffsets", (0,), {}), ("TileByteCounts", (9, 0, 9, 9), {"tile": (16, 32)}),
    ("TileOffsets", (9, 9, 9, 0), {"tile": (16, 32)}), ("StripByteCounts", (4,), {"compression": None}),
    ("StripByteCounts", (10**6,), {"compression": None}),
]  # fmt: skip


@pytest.mark.parametrize("page", [0, 2])
@pytest.mark.parametrize("opened", [TiffImage, open_mask])
@pytest.mark.parametrize(("tag", "value", "options"), LISTS)
def test_lists_that_are_not_of_their_pixels(tmp_path: Path, tag, value, options, page, opened) -> None:
    pages = PIXELS if opened is TiffImage else PIXELS[:1]
    path, page = tmp_path / "x.tif", min(page, len(pages) - 1)
    with tifffile.TiffWriter(path) as writer:
        for pixels in pages:
            writer.write(pixels, metadata=None, contiguous=False, **{"compression": "zlib", **options})
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        found = tiff.pages[page].tags[tag]
        mended = [old if new == 9 else new for old, new in zip(np.atleast_1d(found.value), value, strict=True)]
        found.overwrite(tuple(int(one) for one in mended))
    refused(path, opened=opened)


def test_the_lists_of_smaller_levels_are_looked_at_when_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(PIXELS, subifds=1, compression="zlib", photometric="minisblack", metadata={"axes": "CYX"})
        writer.write(PIXELS[:, ::2, ::2], subfiletype=1, compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.series[0].levels[1].pages[1].aspage().tags["StripByteCounts"].overwrite((0,))
    with TiffImage(path) as image, pytest.raises(ImageError, match="of plane 2 is listed with a place and no bytes"):
        image.read((0,), Region(0, 0, 5, 5), 1)


@pytest.mark.parametrize("code", [273, 279])
@pytest.mark.parametrize("kind", [1, 2, 7, 9, 11])
def test_lists_of_a_type_that_they_cannot_have(tmp_path: Path, code, kind) -> None:
    path = tmp_path / "x.tif"
    with tifffile.TiffWriter(path) as writer:
        for pixels in PIXELS:
            writer.write(pixels, metadata=None, contiguous=False, compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages[1].tags[code].offset
    content = bytearray(path.read_bytes())
    content[place + 2] = kind
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        *(({"Compression": code}, ("16 bits", "1 to 1 bits")) for code in (2, 3, 4)),
        ({"BitsPerSample": 13}, ("13 bits",)), ({"BitsPerSample": 12}, ()), ({"BitsPerSample": 8}, ()),
        ({"ImageWidth": 20}, ()), ({"Compression": 50001}, ("16 bits",)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("several", [False, True])
def test_pixels_that_a_page_cannot_have(tmp_path: Path, tags, words, compression, several) -> None:
    path = tmp_path / "x.tif"
    with tifffile.TiffWriter(path) as writer:
        for pixels in PIXELS[: 3 if several else 1]:
            writer.write(pixels, metadata=None, contiguous=False, compression=compression)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for tag, value in tags.items():
            tiff.pages[-1].tags[tag].overwrite(value)
    if several and "ImageWidth" in tags:
        return  # a smaller page is a thumbnail

    def read(path):
        with TiffImage(path) as image:
            image.read(tuple(range(len(image.info.channels))), image.info.region)

    refused(path, *(words if not several or "Compression" in tags else ()), opened=read)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_of_cameras_are_read(tmp_path: Path, bits) -> None:
    pixels = (PIXELS[0] * 7 % 2**bits).astype(np.uint16)
    for number, compression in enumerate((None, "zlib", "lzw")):
        packed = np.unpackbits(pixels.astype(">u2").view(np.uint8).reshape(20, 40, 2), axis=2)[..., 16 - bits :]
        path = tmp_path / f"{number}.tif"
        content = np.packbits(packed.reshape(20, -1), axis=1)
        tifffile.imwrite(path, content, compression=compression, rowsperstrip=20, metadata=None)
        with tifffile.TiffFile(path, mode="r+b") as tiff:
            tiff.pages[0].tags["BitsPerSample"].overwrite(bits)
            tiff.pages[0].tags["ImageWidth"].overwrite(40)
        with TiffImage(path) as image:
            np.testing.assert_array_equal(image.read((0,), image.info.region)[0], pixels)


def test_plain_pages_that_are_packed_unlike_are_channels_of_one_image(tmp_path: Path) -> None:
    for number, compression in enumerate(("lzw", None, "zlib")):
        with tifffile.TiffWriter(tmp_path / f"{number}.tif") as writer:
            for page, pixels in enumerate(PIXELS):
                writer.write(pixels, metadata=None, compression=compression if page == 1 else "zlib")
            writer.write(PIXELS[0, ::2, ::2], metadata=None)
        with TiffImage(tmp_path / f"{number}.tif") as image:
            np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), PIXELS)
            assert image.info.warnings == ()


@pytest.mark.parametrize("other", [PIXELS[1].astype("uint8"), PIXELS[1].astype("float32"), np.dstack(PIXELS)])
def test_plain_pages_of_one_size_and_several_types_are_refused(tmp_path: Path, other) -> None:
    for position in (0, 1, 2):
        with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
            for page, pixels in enumerate(PIXELS):
                content = other if page == position else pixels
                planar = "contig" if content.ndim == 3 else None
                writer.write(content, metadata=None, photometric="minisblack", planarconfig=planar)
        refused(tmp_path / "x.tif", "its p")


@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize("tag", ["ImageWidth", "ImageLength"])
def test_several_numbers_for_what_has_to_be_one_are_damage(tmp_path: Path, page, tag) -> None:
    path = written(tmp_path / "x.ome.tif", ome_image(each(0, 1, 2)))
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        tiff.pages.useframes = False
        place = tiff.pages[page].tags[tag].offset + 4
    content[place : place + 4] = (2).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "the file is damaged")


@pytest.mark.parametrize("sizes", [{"Y": 2**31 - 1}, {"X": 10**20}])
def test_an_image_that_is_larger_than_its_pages_costs_no_memory(tmp_path: Path, sizes) -> None:
    path = written(tmp_path / "x.ome.tif", ome_image(each(0, 1, 2), **sizes))
    tracemalloc.start()
    refused(path, "pixels (rows x columns)", "its page 1 has 20 x 40")
    assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    tracemalloc.stop()


def test_a_file_that_calls_itself_by_two_identifiers_is_read(tmp_path: Path) -> None:
    places = "".join(
        f'<TiffData FirstC="{c}" IFD="{2 - c}" PlaneCount="1"><UUID FileName="x.ome.tif">urn:uuid:9</UUID></TiffData>'
        for c in range(3)
    )
    path = written(tmp_path / "x.ome.tif", ome_image(places))
    with TiffImage(path) as image:
        np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), PIXELS[::-1])
        assert tuple(channel.name for channel in image.info.channels) == NAMES
