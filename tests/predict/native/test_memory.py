"""Arrays begin at a line of the caches, are apart from each other, and are used again."""

import numpy as np

from cellscale.predict.native.memory import Room, aligned, empty


def test_arrays_begin_at_a_line_of_the_caches() -> None:
    room = Room()
    for size in (1, 17, 1000, 1 << 20):
        values = np.random.default_rng(size).random(size, np.float32)
        copy, array = aligned(values), room.array(f"{size}", size)
        assert copy.ctypes.data % 64 == empty(size).ctypes.data % 64 == array.ctypes.data % 64 == 0
        assert empty(size).shape == array.shape == (size,)
        np.testing.assert_array_equal(copy, values)
    assert aligned(np.arange(6, dtype=np.int32).reshape(2, 3).T).tolist() == [0, 3, 1, 4, 2, 5]


def test_arrays_share_no_value() -> None:
    sizes = [5, 16, 1 << 22, 9 << 20, 33]
    copies = [aligned(np.full(size, index, np.float32)) for index, size in enumerate(sizes)]
    for index, (copy, size) in enumerate(zip(copies, sizes, strict=True)):
        assert copy.size == size
        assert (copy == index).all()


def test_a_room_gives_the_same_memory_by_the_same_name() -> None:
    room = Room()
    first, other = room.array("a", 100), room.array("b", 100)
    assert np.shares_memory(room.array("a", 60), first)
    assert room.array("a", 60).shape == (60,)
    assert not np.shares_memory(other, first)
    assert not np.shares_memory(room.array("a", 101), first)
