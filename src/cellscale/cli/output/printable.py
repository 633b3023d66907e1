"""Names and messages as a terminal may have them: what steers it, or breaks a line of a table, is spelt out."""

import unicodedata

__all__ = ["printable"]

_STEERING = {"Cc", "Zl", "Zp"}
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text whose control characters are written as in Python: a tab as ``\t``, an escape as ``\x1b``.

    Parameters
    ----------
    text
        Of whatever origin.
    keep
        Characters that stay, such as line breaks.
    """
    return "".join(one if one in keep or not _steers(one) else repr(one)[1:-1] for one in text)


def _steers(one: str) -> bool:
    return unicodedata.category(one) in _STEERING or one in _BIDIRECTIONAL
