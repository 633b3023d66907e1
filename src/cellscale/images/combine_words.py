"""The words for how several channels become one; they load nothing."""

from typing import Literal, TypeAlias

__all__ = ["Combine"]

Combine: TypeAlias = Literal["sum", "max", "mean"]
"""How several channels become one."""
