"""What must not be written anywhere: signatures of URLs, tokens, passwords."""

import re

__all__ = ["redacted"]

_HIDDEN = "[hidden]"
_NAMES = (
    r"x-(?:goog|amz)-(?:signature|credential|security-token|algorithm|expires|date|signedheaders)"
    r"|signature|sig|googleaccessid|awsaccesskeyid|access[_-]?token|refresh[_-]?token|id[_-]?token|auth[_-]?token"
    r"|token|api[_-]?key|client[_-]?secret|aws_secret_access_key|secret|password|passwd"
)
_PATTERNS = (
    # In a URL's query or a line of settings; a JSON key with its quotes, too.
    (re.compile(rf"""(?i)(["']?\b(?:{_NAMES})["']?\s*[=:]\s*["']?)[^\s&"',;)\]}}]+"""), rf"\1{_HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@]+:[^/\s@]+(?=@)"), _HIDDEN),
    (re.compile(r"\bya29\.[\w.-]+"), _HIDDEN),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"), _HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), _HIDDEN),
)


def redacted(text: str) -> str:
    """Return a text for logs and records, without what would give access to somebody's data."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
