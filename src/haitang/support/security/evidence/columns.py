"""SHA-256 of whole columns, and Merkle trees over them: the same bytes as `merkle`, by DataFusion in a third of the time and without holding the interpreter.

Digests are an array of 32 bytes each, so that a level of a tree needs no object a node.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from haitang.base.ids import new_id
from haitang.support.security.evidence import merkle

Digests = npt.NDArray[np.uint8]  # shape (rows, 32)
SIZE = 32  # bytes of a digest
_INNER = merkle.INNER[0]


def digests(texts: Any) -> Digests:
    """SHA-256 of each value of an Arrow array of text or bytes without nulls, chunked or not."""
    batches = [pa.record_batch({"v": chunk}) for chunk in (texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]) if len(chunk)]
    if not batches:
        return np.empty((0, SIZE), np.uint8)
    context, hashed = _engine()
    name = new_id().hex
    try:
        found = context.create_dataframe([batches], name).select(hashed).collect()
    finally:
        context.deregister_table(name)  # else it keeps every column that it was ever given
    return np.concatenate([_bytes_of(batch.column(0)) for batch in found])


def root(leaves: Digests, arity: int) -> bytes:
    """The root of the tree over these leaf hashes; of none it is that of the empty string, as `merkle.root` has it."""
    if not len(leaves):
        return bytes(digests(pa.array([b""]))[0])
    level = leaves
    while len(level) > 1:
        level = _above(level, arity)
    return bytes(level[0])


def _above(level: Digests, arity: int) -> Digests:
    """The level above one of several nodes; one that is alone in its group rises unchanged."""
    alone = len(level) % arity == 1
    joined = level[: len(level) - alone]
    groups = -(-len(joined) // arity)
    text = np.empty(joined.size + groups, np.uint8)
    full = len(joined) // arity
    whole = text[: full * (arity * SIZE + 1)].reshape(full, arity * SIZE + 1)
    whole[:, 0] = _INNER
    whole[:, 1:] = joined[: full * arity].reshape(full, arity * SIZE)
    if groups > full:
        text[whole.size] = _INNER
        text[whole.size + 1 :] = joined[full * arity :].reshape(-1)
    ends = np.minimum(np.arange(groups + 1, dtype=np.int32) * np.int32(arity * SIZE + 1), np.int32(len(text)))
    made = digests(pa.Array.from_buffers(pa.binary(), groups, [None, pa.py_buffer(ends), pa.py_buffer(text)]))
    return np.concatenate([made, level[len(joined) :]]) if alone else made


def _bytes_of(column: Any) -> Digests:
    _, _, data = column.buffers()
    return np.frombuffer(data, np.uint8)[: (column.offset + len(column)) * SIZE].reshape(-1, SIZE)[column.offset :]


@cache
def _engine() -> tuple[Any, Any]:
    """Made where it is first used: its threads would not survive a fork, and most processes hash no columns."""
    from datafusion import SessionConfig, SessionContext, col, functions

    return SessionContext(SessionConfig().with_target_partitions(1)), functions.sha256(col("v"))
