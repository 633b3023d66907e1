"""Whether what a TIFF's pixels are compressed with can be undone here.

imagecodecs is built with as many codecs as its packager had libraries for; those that were left out are there by
name, and fail when they are called.
"""

from types import FunctionType
from typing import Any

import imagecodecs
import tifffile

from cellscale.errors import CodecError, ImageError

__all__ = ["codec_missing", "require_codecs"]


def require_codecs(keyframe: Any, name: str) -> None:
    """Check that the pixels of a page can be decoded, as far as that depends on what is installed.

    Parameters
    ----------
    keyframe
        The tifffile page.
    name
        For messages.

    Raises
    ------
    CodecError
        Its compression needs a codec that is not here, or that no library has.
    ImageError
        There is no such compression.
    """
    number = int(keyframe.compression)
    if number == 1:
        return
    try:
        compression = tifffile.COMPRESSION(number)
    except ValueError as error:
        raise ImageError(
            f"{name}: a compression of number {number} found, which no program writes: the file is damaged; copy or "
            "download it again"
        ) from error
    try:
        decode = tifffile.TIFF.DECOMPRESSORS[number]
    except KeyError as error:
        if isinstance(error.__cause__, (AttributeError, ImportError)):
            raise codec_missing(name, compression.name) from error
        raise CodecError(
            f"{name}: its pixels are compressed with {compression.name}, which tifffile {tifffile.__version__} does "
            "not read; save the image with another compression (Zstandard, deflate or LZW)"
        ) from error
    if not _is_there(decode):
        raise codec_missing(name, compression.name)


def codec_missing(name: str, compression: str) -> CodecError:
    """Return the error of an image whose codec is not installed.

    Parameters
    ----------
    name
        The image.
    compression
        What its pixels are compressed with.
    """
    return CodecError(
        f"{name}: its pixels are compressed with {compression}, and imagecodecs {imagecodecs.__version__} was "
        "installed without the codec for it: pip install --upgrade --force-reinstall imagecodecs brings it where "
        "there is a wheel for this Python; or save the image with another compression (Zstandard, deflate or LZW)"
    )


def _is_there(decode: Any) -> bool:
    """Return whether a codec is one: its stand-in is written in Python, and raises when it is called."""
    if not isinstance(decode, FunctionType):
        return True
    try:
        decode(b"")
    except ImportError:
        return False
    except Exception:  # a codec that finds fault with nothing is there
        return True
    return True
