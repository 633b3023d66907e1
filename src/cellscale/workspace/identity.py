"""Which pixels are worked on: an image's files by what they hold, not by their names and times alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cellscale.errors import ImageError
from cellscale.storage.content import WHOLE, Check, Content, content_of, seen
from cellscale.storage.uri import Location
from cellscale.workspace.discovery import ImageEntry

__all__ = ["Identity", "identify", "require_unchanged"]

_LATER = "+"
"""Parts the hash of a sample from that of all, where the sample did not see a change."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an image's files held when the work on it began."""

    files: Mapping[str, Content]
    """By part: ``image`` and ``npz``, and the whole of each where it was read."""

    @property
    def facts(self) -> dict[str, str]:
        """The same for the same content, wherever the files lie and whatever their times are."""
        return {name: content.hash for name, content in self.files.items() if not name.endswith(WHOLE)}


def identify(entry: ImageEntry, known: Mapping[str, Content], check: Check = "sample") -> Identity:
    """Tell what an image's files hold.

    Parameters
    ----------
    entry
        The image.
    known
        What they held when they were last looked at.
    check
        How much of them is read.

    Raises
    ------
    ImageError
        A file is no longer there.
    StorageError
        A file cannot be read.
    """
    files = {}
    for name, location in _files(entry):
        before = known.get(name)
        now = _seen(location, before, entry)
        whole = known.get(name + WHOLE)
        if check == "content":
            all_of_it = replace(now, hash=content_of(location))
            if whole is not None and whole.hash != all_of_it.hash and _sampled(now) == _sampled(before):
                now = replace(now, hash=f"{_sampled(now)}{_LATER}{all_of_it.hash}")
            whole = all_of_it
        files[name] = now
        if whole is not None:
            files[name + WHOLE] = whole
    return Identity(files)


def require_unchanged(entry: ImageEntry, identity: Identity) -> None:
    """Check, before something made of an image is handed out, that it is still the image that was read.

    Raises
    ------
    ImageError
        It was replaced or changed since.
    StorageError
        It cannot be read.
    """
    for name, location in _files(entry):
        before = identity.files[name]
        if _seen(location, before, entry).hash != before.hash:
            raise ImageError(
                f"{location} changed while it was worked on; nothing was made of the mixture. Run the same command "
                "again when it is whole"
            )


def _files(entry: ImageEntry) -> Iterator[tuple[str, Location]]:
    if entry.image is not None:
        yield "image", entry.image
    if entry.npz is not None:
        yield "npz", entry.npz


def _seen(location: Location, before: Content | None, entry: ImageEntry) -> Content:
    now = seen(location, before, "sample")
    if now is None:
        raise ImageError(f"{entry.name}: {location} is no longer there")
    if before is not None and now.hash == _sampled(before):
        return replace(now, hash=before.hash)
    return now


def _sampled(content: Content | None) -> str | None:
    return None if content is None else content.hash.partition(_LATER)[0]
