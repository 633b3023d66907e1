"""User names, passwords and signatures of URIs: known to what opens a file, and to nothing else.

A URI loses them as soon as it comes in. Reports, projects, records, logs and messages cannot have what the rest of
the program never sees; `cellscale.storage.uri.filesystem` puts them back in the moment in which a file is opened.
They are kept in the memory of this process, and of those that work for it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

__all__ = [
    "SECRET_PARAMETERS",
    "Credentials",
    "has_credentials",
    "known",
    "learn",
    "opened_by",
    "secrets",
    "without_credentials",
]

SECRET_PARAMETERS = (
    r"x-(?:goog|amz)-[a-z-]+|signature|sig|googleaccessid|awsaccesskeyid|key-pair-id|access[_-]?token"
    r"|refresh[_-]?token|id[_-]?token|auth[_-]?token|auth|authorization|token|key|api[_-]?key|access[_-]?key"
    r"|accountkey|account[_-]key|sharedaccesskey|client[_-]?secret|secret|code|password|passwd|pwd"
)
"""Names of parameters in a URI's query that give access; a pattern for any case."""

_URI = re.compile(r"(?P<option>--?[\w-]+=)?(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]+)://(?P<rest>.+)", re.DOTALL)
_PARAMETER = re.compile(rf"(?:{SECRET_PARAMETERS})=", re.IGNORECASE)
_WEB = ("http", "https")
"""Schemes whose URIs have queries; elsewhere a ``?`` is part of a name."""
_CONTAINERS = ("abfs", "abfss", "adl", "wasb", "wasbs", "az")
"""Azure's schemes, where ``container@account`` says which storage is meant."""
_LEAST_LITERAL = 6
"""Characters of a password from which on it is looked for in any text; shorter ones are parts of words."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was taken out of a URI."""

    uri: str
    """The URI without them, without a slash at the end."""
    user: str = field(repr=False)
    """User name, password or both as they stood before the ``@``; empty for none."""
    query: str = field(repr=False)
    """The query after the ``?``, if it gives access; else empty."""

    @property
    def host(self) -> str:
        """Scheme and host."""
        scheme, _, rest = self.uri.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"


_KNOWN: dict[str, Credentials] = {}


def without_credentials(text: str) -> str:
    """Take user name, password and signature out of a URI, and remember them for when it is opened.

    Parameters
    ----------
    text
        A URI, or an option with one (``--images_path=https://...``). Anything else comes back as it is.
    """
    found = _URI.fullmatch(text)
    if found is None:
        return text
    scheme, rest = found["scheme"].lower(), found["rest"]
    host, slash, path = rest.partition("/")
    user, at, bare = host.rpartition("@")
    if not at or (scheme in _CONTAINERS and ":" not in user):
        user, bare = "", host
    query = ""
    if scheme in _WEB:
        bare_path, _, asked = path.partition("?")
        if any(_PARAMETER.match(parameter) for parameter in asked.split("&")):
            path, query = bare_path, asked
    if not user and not query:
        return text
    uri = f"{found['scheme']}://{bare}{slash}{path}"
    learn([Credentials(uri.rstrip("/"), user, query)])
    return f"{found['option'] or ''}{uri}"


def opened_by(uri: str) -> str:
    """Return a URI with the credentials that are known for it: those of the nearest folder, or else of its host.

    What comes back is for the client of the store alone.
    """
    if not _KNOWN or "://" not in uri:
        return uri
    above = [one for one in _KNOWN.values() if uri == one.uri or uri.startswith((f"{one.uri}/", f"{one.uri}?"))]
    nearest = max(above, key=lambda one: len(one.uri), default=None)
    scheme, _, rest = uri.partition("://")
    host = f"{scheme}://{rest.partition('/')[0]}"
    # What lies beside a folder, such as the state of runs beside the masks, is reached as the same user.
    user = nearest.user if nearest else next((one.user for one in _KNOWN.values() if one.host == host), "")
    query = nearest.query if nearest else ""
    parts = "&" if "?" in rest else "?"
    return f"{scheme}://{user}{'@' if user else ''}{rest}{parts + query if query else ''}"


def has_credentials(uri: str) -> bool:
    """Tell whether a URI is opened with credentials that it does not show."""
    return opened_by(uri) != uri


def known() -> tuple[Credentials, ...]:
    """Return all that this process knows, for a process that works for it."""
    return tuple(_KNOWN.values())


def learn(credentials: Iterable[Credentials]) -> None:
    """Remember credentials; later ones replace those of the same URI."""
    _KNOWN.update({one.uri: one for one in credentials})


def secrets() -> list[str]:
    """Return every text that must not be written, the longest first."""
    texts: set[str] = set()
    for one in _KNOWN.values():
        password = one.user.partition(":")[2] or one.user
        values = [parameter.partition("=")[2] for parameter in one.query.split("&") if _PARAMETER.match(parameter)]
        parts = [one.user, password, one.query, *values]
        texts.update(text for part in parts for text in (part, unquote(part)) if len(text) >= _LEAST_LITERAL)
    return sorted(texts, key=len, reverse=True)
