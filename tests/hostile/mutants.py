"""Damage as disks, networks and broken writers do it, by a number, so that each can be made again."""

import random

__all__ = ["mutant"]

_EDGES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f")
_DIGITS = (b"0", b"-1", b"99999999", b"1e9", b"0.5", b"", b"NaN")


def mutant(content, seed, head=4096):
    """Return bytes with some damage.

    Parameters
    ----------
    content
        A healthy file.
    seed
        Which damage.
    head
        Bytes at the beginning that are hurt more often: they describe the rest.
    """
    rng = random.Random(seed)
    hurt = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if not hurt:
            break
        _DAMAGES[rng.randrange(len(_DAMAGES))](hurt, _place(hurt, rng, head), rng)
    return bytes(hurt)


def _place(hurt, rng, head):
    return rng.randrange(min(head, len(hurt)) if rng.random() < 0.7 else len(hurt))


def _byte(hurt, place, rng):
    hurt[place] = rng.randrange(256)


def _bit(hurt, place, rng):
    hurt[place] ^= 1 << rng.randrange(8)


def _edge(hurt, place, rng):
    edge = rng.choice(_EDGES)
    hurt[place : place + len(edge)] = edge


def _number(hurt, place, rng):
    """Replace the next number that is written as text."""
    start = next((at for at in range(place, len(hurt)) if chr(hurt[at]).isdigit()), None)
    if start is not None:
        stop = start
        while stop < len(hurt) and chr(hurt[stop]).isdigit():
            stop += 1
        hurt[start:stop] = rng.choice(_DIGITS)


def _cut(hurt, place, rng):
    if rng.random() < 0.3:  # else next to nothing is left of most
        del hurt[place:]


def _gap(hurt, place, rng):
    size = rng.choice([1, 4, 512, 4096])
    hurt[place : place + size] = bytes(len(hurt[place : place + size]))


def _lost(hurt, place, rng):
    del hurt[place : place + rng.choice([1, 4, 512])]


def _repeated(hurt, place, rng):
    hurt[place:place] = hurt[place : place + rng.choice([1, 4, 512])]


_DAMAGES = (_byte, _byte, _bit, _edge, _edge, _number, _number, _cut, _gap, _lost, _repeated)
