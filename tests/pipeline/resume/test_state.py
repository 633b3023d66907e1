"""Finished units survive; damaged ones are done again."""

import numpy as np
import pytest

from cellscale.pipeline.resume.state import RunState, fingerprint


def test_a_saved_unit_comes_back_bit_for_bit(tmp_path):
    state = RunState(tmp_path / "run")
    values = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    state.save("tiles/0_1", values=values, index=np.int64(7))
    loaded = RunState(tmp_path / "run").load("tiles/0_1")
    assert loaded is not None
    np.testing.assert_array_equal(loaded["values"], values)
    assert loaded["index"] == 7


def test_a_unit_never_saved_is_absent(tmp_path):
    state = RunState(tmp_path / "run")
    assert not state.has("tiles/0_0")
    assert state.load("tiles/0_0") is None
    assert state.load_facts("facts") is None


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_damaged_unit_is_forgotten_so_that_it_is_done_again(tmp_path, keep):
    state = RunState(tmp_path)
    state.save("unit", values=np.arange(1000))
    path = tmp_path / "unit.npz"
    path.write_bytes(path.read_bytes()[:keep])
    assert state.load("unit") is None
    assert not state.has("unit")


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_damaged_plane_is_forgotten_with_its_unit(tmp_path, keep):
    state = RunState(tmp_path)
    checksum = state.save_plane("unit", np.arange(1000))
    state.save("unit", values=np.arange(3))
    np.testing.assert_array_equal(state.map_plane("unit", checksum), np.arange(1000))
    path = tmp_path / "unit.npy"
    path.write_bytes(path.read_bytes()[:keep])
    assert state.map_plane("unit", checksum) is None
    assert not state.has("unit")


def test_floats_in_facts_come_back_bit_for_bit(tmp_path):
    value = float(np.float32(0.1)) / 3
    RunState(tmp_path).save_facts("facts", {"value": value})
    assert RunState(tmp_path).load_facts("facts") == {"value": value}


def test_dropping_a_prefix_leaves_the_other_units(tmp_path):
    state = RunState(tmp_path)
    state.save("tiles/a", x=np.zeros(1))
    state.save("blocks/a", x=np.zeros(1))
    state.drop("tiles")
    assert not state.has("tiles/a")
    assert state.has("blocks/a")


def test_a_fingerprint_depends_on_values_and_not_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": [2.5]}) == fingerprint({"b": [2.5], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


@pytest.mark.parametrize(
    ("old", "new"), [(b"NUMPY", b"NAMPY"), (b"descr", b"descX"), (b"'<i8'", b"'<q\xff'"), (b"(1000,)", b"(9e99,)")]
)
def test_bytes_that_changed_have_a_unit_done_again(tmp_path, old, new):
    state = RunState(tmp_path)
    state.save("unit", values=np.arange(1000))
    path = tmp_path / "unit.npz"
    path.write_bytes(path.read_bytes().replace(old, new))
    assert state.load("unit") is None
    assert not state.has("unit")


def test_any_one_byte_that_changed_gives_the_same_arrays_or_none(tmp_path):
    state = RunState(tmp_path)
    values = np.arange(3, dtype=np.uint8)
    state.save("unit", values=values)
    whole = (tmp_path / "unit.npz").read_bytes()
    for position in range(len(whole)):
        (tmp_path / "unit.npz").write_bytes(
            whole[:position] + bytes([whole[position] ^ 0x41]) + whole[position + 1 :]
        )
        loaded = state.load("unit")
        assert loaded is None or np.array_equal(loaded["values"], values)


@pytest.mark.parametrize("text", ["[]", "null", "3", '"facts"', "{", ""])
def test_facts_that_are_none_are_found_again(tmp_path, text):
    (tmp_path / "facts.json").write_text(text)
    assert RunState(tmp_path).load_facts("facts") is None


@pytest.mark.parametrize("position", [200, 4000, -1])
def test_a_plane_of_an_earlier_run_with_one_other_byte_is_thrown_away(tmp_path, position):
    checksum = RunState(tmp_path).save_plane("unit", np.arange(1000))
    RunState(tmp_path).save("unit", checksum=np.array(checksum, np.uint32))
    np.testing.assert_array_equal(RunState(tmp_path).map_plane("unit", checksum), np.arange(1000))
    content = bytearray((tmp_path / "unit.npy").read_bytes())
    content[position] ^= 1
    (tmp_path / "unit.npy").write_bytes(content)
    state = RunState(tmp_path)
    state.check()
    assert state.damaged == ["unit"]
    assert not state.has("unit")


@pytest.mark.parametrize("old", ["0.25", '"low"', "sha256"])
def test_facts_of_which_anything_changed_are_thrown_away(tmp_path, old):
    RunState(tmp_path).save_facts("facts", {"low": 0.25, "high": 3})
    path = tmp_path / "facts.json"
    path.write_text(path.read_text().replace(old, old.replace("2", "3").replace("low", "lov")))
    state = RunState(tmp_path)
    state.check()
    assert state.damaged == ["facts"]
    assert state.load_facts("facts") is None


def test_a_check_finds_all_that_is_damaged_at_once_and_leaves_the_rest(tmp_path):
    state = RunState(tmp_path)
    for number in range(5):
        state.save(f"tiles/{number}", values=np.arange(100) + number)
    for number in (1, 3):
        path = tmp_path / "tiles" / f"{number}.npz"
        path.write_bytes(path.read_bytes()[:-30] + bytes(30))
    state = RunState(tmp_path)
    state.check()
    assert state.damaged == ["tiles/1", "tiles/3"]
    assert [state.has(f"tiles/{number}") for number in range(5)] == [True, False, True, False, True]
