"""Merkle trees as in RFC 6962 section 2.1: roots, inclusion proofs and their check.

Pure, so that the offline verifier uses the very same code. A hash function maps bytes to bytes; SHA-256 unless a suite names another.
"""

import hashlib
from collections.abc import Callable, Sequence

Hash = Callable[[bytes], bytes]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaf_hash(data: bytes, *, hash: Hash = sha256) -> bytes:
    """The hash of one leaf: H(0x00 || data)."""
    return hash(b"\x00" + data)


def node_hash(left: bytes, right: bytes, *, hash: Hash = sha256) -> bytes:
    """The hash of an inner node: H(0x01 || left || right)."""
    return hash(b"\x01" + left + right)


class Tree:
    """All levels of one tree, for many proofs over the same leaves. A node without a partner rises unchanged, which gives RFC 6962's shape."""

    def __init__(self, leaf_hashes: Sequence[bytes], *, hash: Hash = sha256) -> None:
        self.levels: list[list[bytes]] = [list(leaf_hashes)]
        self._hash = hash
        while len(level := self.levels[-1]) > 1:
            above = [hash(b"\x01" + left + right) for left, right in zip(level[::2], level[1::2], strict=False)]
            if len(level) % 2:
                above.append(level[-1])
            self.levels.append(above)

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
            partner = index ^ 1
            if partner < len(level):
                path.append(level[partner])
            index >>= 1
        return path


def root(leaf_hashes: Sequence[bytes], *, hash: Hash = sha256) -> bytes:
    """The Merkle tree hash of leaves that are already hashed; one level is kept at a time, since blocks of gathered rows have many leaves."""
    if not leaf_hashes:
        return hash(b"")
    level = list(leaf_hashes)
    of = hashlib.sha256
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = (
            [of(b"\x01" + left + right).digest() for left, right in pairs]
            if hash is sha256
            else [hash(b"\x01" + left + right) for left, right in pairs]
        )
        level = above + level[-1:] if len(level) % 2 else above
    return level[0]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int, *, hash: Hash = sha256) -> list[bytes]:
    """The audit path of one leaf; for many proofs over the same leaves keep a `Tree`."""
    return Tree(leaf_hashes, hash=hash).inclusion_proof(index)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, *, hash: Hash = sha256) -> bool:
    """Whether `leaf` (a leaf hash) stands at `index` in the tree of `size` leaves with this root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for partner in proof:
        if last == 0:
            return False
        if position % 2 or position == last:
            node = node_hash(partner, node, hash=hash)
            while position and not position % 2:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, partner, hash=hash)
        position, last = position >> 1, last >> 1
    return last == 0 and node == root
