"""Images that QuPath does not show as what they are."""

from cellscale.images.info import ImageInfo

__all__ = ["not_shown_texts"]

_COLOURS = ("red", "green", "blue")


def not_shown_texts(info: ImageInfo) -> tuple[str, ...]:
    """Return what the user should know before opening an image of the project; nothing for usual ones."""
    if info.dtype.name == "uint32":
        return (
            "QuPath does not open images of 32-bit whole numbers without a sign (uint32); the tables are not "
            "affected. To look at it there save it as uint16 or float32",
        )
    names = tuple(channel.name.strip().lower() for channel in info.channels)
    if info.dtype.name == "uint8" and names == _COLOURS:
        return (
            "QuPath takes three 8-bit channels called Red, Green and Blue for a colour picture, not for channels; "
            "the tables are not affected. To look at them there give them other names, or save them as uint16",
        )
    return ()
