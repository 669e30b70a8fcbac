"""Merkle trees as in RFC 6962 section 2.1: roots, inclusion proofs and their check.

Pure, so that the offline verifier uses the very same code. A hash function maps bytes to bytes; SHA-256 unless a suite names another.

`arity`: how many nodes one above them joins. Two gives RFC 6962's trees. More of them cost a hash for as many rows less: H(0x01 || all of them); a step of a
proof is then all of the node's siblings, in order. Number of leaves and arity stand beside the root in what is signed, so that one tree cannot be taken for another.
"""

import hashlib
from collections.abc import Callable, Sequence

Hash = Callable[[bytes], bytes]
MOST_ARITY = 1024
LEAF, INNER = b"\x00", b"\x01"  # before what is hashed: a leaf, the nodes below an inner one


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaf_hash(data: bytes, *, hash: Hash = sha256) -> bytes:
    """The hash of one leaf: H(0x00 || data)."""
    return hash(LEAF + data)


def node_hash(left: bytes, right: bytes, *, hash: Hash = sha256) -> bytes:
    """The hash of an inner node: H(0x01 || left || right)."""
    return hash(INNER + left + right)


class Tree:
    """All levels of one tree, for many proofs over the same leaves. A node without a partner rises unchanged, which gives RFC 6962's shape."""

    def __init__(self, leaf_hashes: Sequence[bytes], *, hash: Hash = sha256, arity: int = 2) -> None:
        self.levels: list[list[bytes]] = [list(leaf_hashes)]
        self.arity, self._hash = arity, hash
        while len(level := self.levels[-1]) > 1:
            self.levels.append(_above(level, arity, hash))

    @property
    def root(self) -> bytes:
        """The root; of no leaves it is H of the empty string."""
        return self.levels[-1][0] if self.levels[0] else self._hash(b"")

    def inclusion_proof(self, index: int) -> list[bytes]:
        """The audit path of leaf `index` from the leaf upwards; IndexError outside the tree."""
        if not 0 <= index < len(self.levels[0]):
            raise IndexError(f"leaf {index} is not in a tree of {len(self.levels[0])}")
        path = []
        for level in self.levels[:-1]:
            first = index - index % self.arity
            siblings = level[first:index] + level[index + 1 : first + self.arity]
            if siblings:
                path.append(b"".join(siblings))
            index //= self.arity
        return path


def root(leaf_hashes: Sequence[bytes], *, hash: Hash = sha256, arity: int = 2) -> bytes:
    """The Merkle tree hash of leaves that are already hashed; one level is kept at a time, since blocks of gathered rows have many leaves."""
    if not leaf_hashes:
        return hash(b"")
    level = list(leaf_hashes)
    while len(level) > 1:
        level = _above(level, arity, hash)
    return level[0]


def _above(level: list[bytes], arity: int, hash: Hash) -> list[bytes]:
    """The level above one of several nodes."""
    alone = len(level) - (len(level) % arity == 1)
    return [hash(INNER + b"".join(level[first : min(first + arity, alone)])) for first in range(0, alone, arity)] + level[alone:]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, *, hash: Hash = sha256, arity: int = 2
) -> bool:
    """Whether `leaf` (a leaf hash) stands at `index` in the tree of `size` leaves with this root (of two: RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or not 2 <= arity <= MOST_ARITY:
        return False
    node, steps = leaf, iter(proof)
    while size > 1:
        place = index % arity
        beside = min(arity, size - (index - place)) - 1
        if beside:
            siblings = next(steps, b"")
            if len(siblings) != beside * len(node):
                return False
            at = place * len(node)
            node = hash(INNER + siblings[:at] + node + siblings[at:])
        index, size = index // arity, -(-size // arity)
    return next(steps, None) is None and node == root
