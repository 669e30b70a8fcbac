"""Pure domain functions of this application, over Arrow columns; SQL derivations call them by name."""

import pyarrow as pa
import pyarrow.compute as pc


def level_in_centimetres(level: pa.Array) -> pa.Array:
    """Levels in metres -> centimetres; a null stays a null."""
    return pc.multiply(level, 100.0)
