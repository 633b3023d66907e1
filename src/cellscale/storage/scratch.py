"""Files without a name, for what does not fit in memory."""

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from cellscale.storage.storage_errors import explained

__all__ = ["scratch_file"]


def scratch_file(folder: Path | None, pieces: Iterable[bytes | memoryview]) -> BinaryIO:
    """Write pieces to a file that vanishes when it is closed or the process ends, and return it open.

    Parameters
    ----------
    folder
        Where; the system's temporary folder (``TMPDIR``) if None.
    pieces
        The content, in order.

    Raises
    ------
    StorageError
        The disk is full, or the folder is missing or read-only.
    """
    where = folder or Path(tempfile.gettempdir())
    with explained("write a scratch file in", where), ExitStack() as opened:
        file = opened.enter_context(tempfile.TemporaryFile(dir=where))
        for piece in pieces:
            file.write(piece)
        file.flush()
        opened.pop_all()
    return cast(BinaryIO, file)
