"""The Merkle tree is RFC 6962's, and a proof holds for its own leaf only."""

import hashlib
import time

from hypothesis import given
from hypothesis import strategies as st

from haitang.support.security.evidence.merkle import Tree, leaf_hash, node_hash, root, verify_inclusion

leaves = st.lists(st.binary(max_size=4), min_size=1, max_size=70).map(lambda texts: [leaf_hash(text) for text in texts])


def by_definition(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(by_definition(hashes[:split]), by_definition(hashes[split:]))


def test_known_roots_of_the_certificate_transparency_vectors() -> None:
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    hashes = [leaf_hash(bytes.fromhex(text)) for text in data]
    assert root([]).hex() == hashlib.sha256(b"").hexdigest()
    assert root(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(leaves)
def test_root_is_the_one_of_the_definition(hashes: list[bytes]) -> None:
    assert root(hashes) == by_definition(hashes)


def wide(hashes: list[bytes], arity: int) -> bytes:
    """A level at a time: sixteen, or however many, below one."""
    while len(hashes) > 1:
        groups = [hashes[first : first + arity] for first in range(0, len(hashes), arity)]
        hashes = [group[0] if len(group) == 1 else hashlib.sha256(b"\x01" + b"".join(group)).digest() for group in groups]
    return hashes[0]


@given(leaves, st.integers(2, 16))
def test_the_root_of_a_wider_tree_joins_as_many_nodes_as_it_says(hashes: list[bytes], arity: int) -> None:
    assert root(hashes, arity=arity) == Tree(hashes, arity=arity).root == wide(hashes, arity)


@given(leaves, st.integers(2, 16), st.data())
def test_a_proof_holds_for_its_leaf_and_no_other(hashes: list[bytes], arity: int, data: st.DataObject) -> None:
    index, size = data.draw(st.integers(0, len(hashes) - 1)), len(hashes)
    tree = Tree(hashes, arity=arity)
    proof, top = tree.inclusion_proof(index), tree.root
    assert verify_inclusion(hashes[index], index, size, proof, top, arity=arity)
    assert not verify_inclusion(leaf_hash(b"another leaf"), index, size, proof, top, arity=arity)
    other = data.draw(st.integers(-1, size))
    if other != index:
        assert not verify_inclusion(hashes[index], other, size, proof, top, arity=arity) or hashes[index] == hashes[other]
    assert not verify_inclusion(hashes[index], index, size, [*proof, top], top, arity=arity)
    assert not verify_inclusion(hashes[index], index, size, proof[:-1], top, arity=arity) or size == 1


def test_no_tree_has_an_arity_that_makes_none() -> None:
    only = leaf_hash(b"only")
    assert not any(verify_inclusion(only, 0, 2, [only], only, arity=arity) for arity in (-1, 0, 1, 1 << 40))


def test_a_hundred_thousand_leaves_take_no_time() -> None:
    hashes = [leaf_hash(str(n).encode()) for n in range(100_000)]
    started = time.process_time()
    tree = Tree(hashes)
    assert all(verify_inclusion(hashes[i], i, len(hashes), tree.inclusion_proof(i), tree.root) for i in range(0, 100_000, 1000))
    assert time.process_time() - started < 15  # seconds of this process; hashing anew for each proof would take minutes
