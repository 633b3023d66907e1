"""CUDA is asked for cards and for locked memory; without it both are simply missing."""

import ctypes
from typing import Any

import numpy as np

from cellscale.predict.cuda_runtime import card_count, page_locked


class Library:
    """CUDA's runtime library with two cards, or with an error code for every call."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.locked: dict[int, int] = {}

    def cudaGetDeviceCount(self, found: Any) -> int:
        ctypes.cast(found, ctypes.POINTER(ctypes.c_int))[0] = 2
        return self.code

    def cudaHostRegister(self, address: Any, size: Any, flags: Any) -> int:
        if not self.code:
            self.locked[address.value] = size.value
        return self.code

    def cudaHostUnregister(self, address: Any) -> int:
        del self.locked[address.value]
        return 0


def test_cards_are_counted() -> None:
    assert card_count(Library()) == 2
    assert card_count(Library(code=100)) == 0  # no device is detected


def test_memory_is_locked_as_long_as_the_array_lives() -> None:
    library = Library()
    array = np.zeros((3, 5), np.float32)
    assert page_locked(array, library)
    assert library.locked == {array.ctypes.data: 60}
    del array
    assert not library.locked


def test_memory_that_cannot_be_locked_is_no_error() -> None:
    library = Library(code=2)
    array = np.zeros(3)
    assert not page_locked(array, library)
    del array
