"""OME-TIFFs with OME-XML of one's own, as other programs write it."""

import numpy as np
import tifffile

from cellscale.images.open import open_image

__all__ = ["NAMES", "ome_xml", "planes", "read", "write_ome"]

NAMES = ("DAPI", "CD3", "PanCK")


def planes(count=3, shape=(60, 80), dtype="uint16"):
    """Return pixels that tell channel, row and column."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.stack([1000 * (number + 1) + 7 * rows + columns for number in range(count)]).astype(dtype)


def ome_xml(
    data="<TiffData/>", *, root="", image='ID="Image:0"', pixels='ID="Pixels:0"', kind="uint16", sizes=None,
    size='PhysicalSizeX="0.5" PhysicalSizeY="0.5"', channel="", names=NAMES, count=3, inner="", after="",
):  # fmt: skip
    """Return OME-XML; ``channel`` are attributes of each channel."""
    channels = "".join(
        f'<Channel ID="Channel:0:{number}" Name="{name}" {channel}/>' for number, name in enumerate(names)
    )
    sizes = sizes or f'SizeX="80" SizeY="60" SizeC="{count}" SizeZ="1" SizeT="1"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" {root}>{inner}<Image {image}>'
        f'<Pixels {pixels} DimensionOrder="XYCZT" Type="{kind}" {sizes} {size}>'
        f"{channels}{data}</Pixels></Image>{after}</OME>"
    )


def write_ome(path, xml, pixels=None, **options):
    """Write pages, the first of which has the OME-XML."""
    with tifffile.TiffWriter(path, **options) as tiff:
        for number, plane in enumerate(planes() if pixels is None else pixels):
            description = xml.encode() if number == 0 else None
            tiff.write(plane, description=description, metadata=None, photometric="minisblack", contiguous=False)
    return path


def read(path):
    """Return facts and all pixels of an image."""
    image = open_image(path)
    try:
        return image.info, image.read(tuple(range(len(image.info.channels))), image.info.region)
    finally:
        image.close()
