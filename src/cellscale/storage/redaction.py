"""What must not be written anywhere: signatures of URLs, tokens, passwords."""

import re

from cellscale.storage.credentials import SECRET_PARAMETERS, secrets

__all__ = ["redacted"]

_HIDDEN = "[hidden]"
_NAMES = (
    r"x-(?:goog|amz)-(?:signature|credential|security-token|algorithm|expires|date|signedheaders)"
    r"|signature|sig|googleaccessid|awsaccesskeyid|key-pair-id|access[_-]?token|refresh[_-]?token|id[_-]?token"
    r"|auth[_-]?token|token|api[_-]?key|access[_-]?key|account[_-]?key|sharedaccess(?:key|signature)|client[_-]?secret"
    r"|aws_secret_access_key|secret|password|passwd|pwd"
)
_PATTERNS = (
    # In a URL's query or a line of settings; a JSON key with its quotes, too.
    (re.compile(rf"""(?i)(["']?\b(?:{_NAMES})["']?\s*[=:]\s*["']?)[^\s&"',;)\]}}]+"""), rf"\1{_HIDDEN}"),
    # These words mean something else outside a URL's query.
    (re.compile(rf"(?i)(?<=[?&])((?:{SECRET_PARAMETERS})=)[^\s&\"',;)\]}}]+"), rf"\1{_HIDDEN}"),
    (
        re.compile(r"""(?i)(\bauthorization["']?\s*[=:]\s*["']?)(?!\[hidden)(?:[a-z]+\s+)?[^\s"',;]+"""),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s]*:[^/\s]*(?=@)"), _HIDDEN),
    # Azure's ``abfs://container@account`` says where something is, not who asks.
    (
        re.compile(
            r"(?i)(?<!abfs://)(?<!abfss://)(?<!adl://)(?<!wasb://)(?<!wasbs://)(?<!az://)(?<=://)[^/\s@:]+(?=@)"
        ),
        _HIDDEN,
    ),
    (re.compile(r"\bya29\.[\w.-]+"), _HIDDEN),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"), _HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), _HIDDEN),
)


def redacted(text: str) -> str:
    """Return a text for logs and records, without what would give access to somebody's data."""
    for secret in secrets():
        text = text.replace(secret, _HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
