"""What this machine's processor can."""

import pytest

from cellscale.errors import RequestError
from cellscale.predict.native.arithmetic import require_bfloat16
from cellscale.predict.native.matrices import lacking_for_matrices
from cellscale.predict.native.version import KERNELS

__all__ = ["KERNELS_HERE", "NEEDS_AMX", "NEEDS_BF16"]


def _reason() -> str:
    try:
        require_bfloat16()
    except RequestError as error:
        return str(error)
    return ""


_WITHOUT_AMX = _reason() or lacking_for_matrices()

KERNELS_HERE = f"kernels {KERNELS}{'' if lacking_for_matrices() else ', AMX'}"
"""How records call the kernels of this machine."""

NEEDS_AMX = pytest.mark.skipif(bool(_WITHOUT_AMX), reason=f"no products with AMX: {_WITHOUT_AMX}")
"""Marks tests of products with AMX."""

NEEDS_BF16 = pytest.mark.skipif(bool(_reason()), reason=_reason() or "it can")
"""Marks tests of products in bfloat16."""
