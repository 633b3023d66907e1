"""Writes an image with each program at hand; run in an environment of its own, which has them (`make writers`).

``python write.py FOLDER`` writes the files; `tests/images/program_files.py` has what is to be read from them.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

NAMES = ("DAPI", "CD3", "PanCK")
MICROMETRES = 0.5
UNITS = {"y": "micrometer", "x": "micrometer"}
SCALE = {"c": 1.0, "y": MICROMETRES, "x": MICROMETRES}


def planes(dtype="uint16"):
    """Return pixels that tell channel, row and column."""
    rows, columns = np.mgrid[:60, :80]
    return np.stack([1000 * (number + 1) + 7 * rows + columns for number in range(3)]).astype(dtype)


def ngff_zarr(path, ngff_version, *, named=True, **options):
    import ngff_zarr

    image = ngff_zarr.to_ngff_image(planes(), "cyx", SCALE, axes_units=UNITS, channel_names=NAMES)
    levels = ngff_zarr.to_multiscales(image, scale_factors=[2])
    if named:  # else they are left out
        levels.metadata.omero = ngff_zarr.compute_omero_from_multiscales(levels)
    ngff_zarr.to_ngff_zarr(path, levels, version=ngff_version, **options)


def ome_zarr(path, ome_version, *, named=True):
    from ome_zarr.classes.image import OMEZarrImage, OMEZarrMultiscale

    facts = {"scale": SCALE, "axes_units": UNITS} if named else {}
    image = OMEZarrImage(data=planes(), axes="cyx", **facts)
    names = {"channel_names": list(NAMES)} if named else {}
    OMEZarrMultiscale(image=image, scale_factors=[2], **names).to_ome_zarr(str(path), version=ome_version)


def ome_zarr_function(path):
    from ome_zarr.writer import write_image

    write_image(planes(), str(path), scale_factors=[2], axes="cyx")


def bioio_ome_zarr(path, zarr_format):
    from bioio_ome_zarr.writers import Channel, OMEZarrWriter

    writer = OMEZarrWriter(
        str(path),
        [(3, 60, 80), (3, 30, 40)],
        "uint16",
        zarr_format=zarr_format,
        axes_names=["c", "y", "x"],
        axes_types=["channel", "space", "space"],
        axes_units=[None, "micrometer", "micrometer"],
        physical_pixel_size=[1, MICROMETRES, MICROMETRES],
        channels=[Channel(label=name, color="FF0000") for name in NAMES],
    )
    writer.write_full_volume(planes())


def bioio_ome_tiff(path, *, dimensions="CYX", pixels=None):
    from bioio_base.types import PhysicalPixelSizes
    from bioio_ome_tiff.writers import OmeTiffWriter

    OmeTiffWriter.save(
        planes() if pixels is None else pixels,
        path,
        dim_order=dimensions,
        channel_names=list(NAMES),
        physical_pixel_sizes=PhysicalPixelSizes(None, MICROMETRES, MICROMETRES),
    )


def _vips(*, stacked):
    import pyvips

    pixels = planes()
    if not stacked:
        bands = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
        return pyvips.Image.new_from_array(bands).copy(interpretation="multiband")
    return pyvips.Image.new_from_array(pixels.reshape(-1, pixels.shape[2])).copy(interpretation="grey16")


def vips_bands(path, **options):
    image = _vips(stacked=False)
    image.tiffsave(str(path), xres=1000 / MICROMETRES, yres=1000 / MICROMETRES, **options)


def vips_ome(path, **options):
    image = _vips(stacked=True)
    channels = "".join(
        f'<Channel ID="Channel:0:{number}" Name="{name}" SamplesPerPixel="1"/>' for number, name in enumerate(NAMES)
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" ID="Pixels:0" SizeC="3" SizeT="1" SizeX="80" SizeY="60" '
        f'SizeZ="1" Type="uint16" PhysicalSizeX="{MICROMETRES}" PhysicalSizeY="{MICROMETRES}">{channels}'
        "</Pixels></Image></OME>"
    )
    image = image.copy()
    import pyvips

    image.set_type(pyvips.GValue.gint_type, "page-height", 60)
    image.set_type(pyvips.GValue.gstr_type, "image-description", xml)
    image.tiffsave(str(path), **options)


def vips_pages(path):
    import pyvips

    image = _vips(stacked=True).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", 60)
    image.tiffsave(str(path), compression="lzw", predictor="horizontal")


def simple_itk(path, *, vector=False, dtype="uint16", compression=False, spacing=MICROMETRES / 1000):
    import SimpleITK

    pixels = planes(dtype)
    pixels = np.ascontiguousarray(np.moveaxis(pixels, 0, -1)) if vector else pixels
    image = SimpleITK.GetImageFromArray(pixels, isVector=vector)
    image.SetSpacing([spacing, spacing, 1.0][: image.GetDimension()])
    SimpleITK.WriteImage(image, str(path), useCompression=compression)


def opencv_pages(path):
    import cv2

    if not cv2.imwritemulti(str(path), list(planes())):
        raise OSError("OpenCV wrote nothing")


def opencv_pixel(path):
    import cv2

    if not cv2.imwrite(str(path), np.ascontiguousarray(np.moveaxis(planes(), 0, -1)[..., ::-1])):
        raise OSError("OpenCV wrote nothing")


def pillow(path, dtype="uint16", **options):
    from PIL import Image

    first, *others = map(Image.fromarray, planes(dtype))
    first.save(path, save_all=True, append_images=others, **options)


FILES = {
    "ngff-zarr 0.4.ome.zarr": lambda path: ngff_zarr(path, "0.4"),
    "ngff-zarr 0.5.ome.zarr": lambda path: ngff_zarr(path, "0.5"),
    "ngff-zarr 0.5 sharded.ome.zarr": lambda path: ngff_zarr(path, "0.5", chunks_per_shard=2),
    "ngff-zarr 0.6.ome.zarr": lambda path: ngff_zarr(path, "0.6"),
    "ngff-zarr bare.ome.zarr": lambda path: ngff_zarr(path, "0.5", named=False),
    "ome-zarr 0.4.ome.zarr": lambda path: ome_zarr(path, "0.4"),
    "ome-zarr 0.5.ome.zarr": lambda path: ome_zarr(path, "0.5"),
    "ome-zarr 0.6.ome.zarr": lambda path: ome_zarr(path, "0.6"),
    "ome-zarr bare.ome.zarr": lambda path: ome_zarr(path, "0.5", named=False),
    "ome-zarr function.ome.zarr": ome_zarr_function,
    "bioio-ome-zarr 0.4.ome.zarr": lambda path: bioio_ome_zarr(path, 2),
    "bioio-ome-zarr 0.5.ome.zarr": lambda path: bioio_ome_zarr(path, 3),
    "bioio-ome-tiff.ome.tiff": bioio_ome_tiff,
    "bioio-ome-tiff five axes.ome.tiff": lambda path: bioio_ome_tiff(
        path, dimensions="TCZYX", pixels=planes()[None, :, None]
    ),
    "pyvips bands.tif": lambda path: vips_bands(path, tile=True, tile_width=32, tile_height=32),
    "pyvips bands pyramid.tif": lambda path: vips_bands(
        path, tile=True, tile_width=16, tile_height=16, pyramid=True, compression="deflate", bigtiff=True
    ),
    "pyvips pages.tif": vips_pages,
    "pyvips ome.ome.tif": lambda path: vips_ome(
        path, tile=True, tile_width=16, tile_height=16, pyramid=True, subifd=True, compression="deflate"
    ),
    "simpleitk pages.tif": simple_itk,
    "simpleitk floats.tif": lambda path: simple_itk(path, dtype="float32", compression=True),
    "simpleitk millimetres.tif": lambda path: simple_itk(path, spacing=MICROMETRES),
    "simpleitk vector.tif": lambda path: simple_itk(path, vector=True),
    "opencv pages.tif": opencv_pages,
    "opencv pixel.tif": opencv_pixel,
    "pillow pages.tif": pillow,
    "pillow floats.tif": lambda path: pillow(path, "float32", compression="tiff_lzw"),
    "pillow integers.tif": lambda path: pillow(path, "int32", dpi=(50_800, 50_800)),
}


def main(folder: Path) -> None:
    """Write all files."""
    warnings.simplefilter("ignore")
    for name, write in FILES.items():
        write(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
