"""The errors that a user can cause, and how errors of ours are told from them.

Every message says what was found, what was expected and what to do about it. Errors that are nobody's fault but
ours stay ordinary Python exceptions, except where a file is read: there a `DefectError` tells them from damage.
"""

__all__ = [
    "CellscaleError",
    "ChannelError",
    "CodecError",
    "DamagedStateError",
    "DefectError",
    "ExtensionError",
    "ImageError",
    "MaskError",
    "ModelError",
    "NoImagesError",
    "RequestError",
    "RunInProgressError",
    "SettingsError",
    "StorageError",
    "UncertainError",
]


class CellscaleError(Exception):
    """Base of all errors that cellscale raises on purpose."""


class DefectError(CellscaleError):
    """An error of cellscale, or of a library that it does not go with, came up while a file was read.

    The file is not to blame. See `cellscale.faults`.
    """


class ExtensionError(CellscaleError):
    """A part that another package adds to cellscale failed; neither the file nor cellscale is to blame."""


class RequestError(CellscaleError):
    """The request itself is wrong: no image can be worked on (exit code 2)."""


class ModelError(RequestError):
    """The network's weights are missing, damaged, or not what cellscale can run."""


class NoImagesError(RequestError):
    """The folder of images is not there, or cannot be read."""


class RunInProgressError(RequestError):
    """Another run is at work on the same dataset."""


class TaskInProgressError(RunInProgressError):
    """Another process is at work on what a task of a run needs: the same may work a little later."""


class SettingsError(RequestError):
    """A settings file or a sample sheet cannot be read, or says what cannot be; the message has the line."""


class StorageError(CellscaleError):
    """A file or object cannot be read or written."""


class DamagedStateError(StorageError):
    """A finished unit of work was damaged or removed; it was forgotten, so that it is done again."""


class ImageError(CellscaleError):
    """One image cannot be processed; the others go on (exit code 1)."""


class ChannelError(ImageError):
    """A channel was asked for that the image does not have, or has more than once."""


class CodecError(ImageError):
    """An image's compression needs a codec that is not installed, or that no library here has."""


class MaskError(ImageError):
    """A label mask does not fit its image or is not a label mask."""


class UncertainError(ImageError):
    """A part of an image needs more of its surroundings to be labelled for certain than may be looked at."""
