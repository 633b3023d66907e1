"""What this machine's processor can."""

import pytest

from cellscale.errors import RequestError
from cellscale.predict.native.arithmetic import require_bfloat16

__all__ = ["NEEDS_BF16"]


def _reason() -> str:
    try:
        require_bfloat16()
    except RequestError as error:
        return str(error)
    return ""


NEEDS_BF16 = pytest.mark.skipif(bool(_reason()), reason=_reason() or "it can")
"""Marks tests of products in bfloat16."""
