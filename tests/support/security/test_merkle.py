"""The Merkle tree is RFC 6962's, and a proof holds for its own leaf only."""

import hashlib
import time

from hypothesis import given
from hypothesis import strategies as st

from haitang.support.security.evidence.merkle import Tree, inclusion_proof, leaf_hash, node_hash, root, verify_inclusion

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


@given(leaves, st.data())
def test_a_proof_holds_for_its_leaf_and_no_other(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    proof, top = inclusion_proof(hashes, index), root(hashes)
    assert verify_inclusion(hashes[index], index, len(hashes), proof, top)
    assert not verify_inclusion(leaf_hash(b"another leaf"), index, len(hashes), proof, top)
    other = data.draw(st.integers(-1, len(hashes)))
    if other != index:
        assert not verify_inclusion(hashes[index], other, len(hashes), proof, top) or hashes[index] == hashes[other]
    assert not verify_inclusion(hashes[index], index, len(hashes), [*proof, top], top)


def test_a_hundred_thousand_leaves_take_no_time() -> None:
    hashes = [leaf_hash(str(n).encode()) for n in range(100_000)]
    started = time.perf_counter()
    tree = Tree(hashes)
    assert all(verify_inclusion(hashes[i], i, len(hashes), tree.inclusion_proof(i), tree.root) for i in range(0, 100_000, 1000))
    assert time.perf_counter() - started < 3
