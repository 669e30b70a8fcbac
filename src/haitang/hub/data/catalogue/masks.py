"""What is left of a value that a reader may not see, as SQL: it is masked inside the query, so the value itself never leaves the lake.

Lengths are kept. Sensitive: a mobile number keeps 3 and 4 digits, a resident ID its first 3 and last; a short text (a name) its first character, a longer one (an address)
its first 3, from 12 characters on its first 6. What is no text, and everything important or core, becomes null.
"""

from haitang.hub.data.catalogue.kinds import ResourceField

STARS = "*"


def masked(column: str, type: str, field: ResourceField) -> str:
    """SQL of a masked column of DuckDB type `type`."""
    if field.classified != "sensitive" or type != "varchar":
        return f"null::{type}"
    quoted = f'"{column}"'
    if field.type == "mobile":
        return _ends(quoted, "3", 4)
    if field.type == "resident_id":
        return _ends(quoted, "3", 1)
    return _ends(quoted, f"case when length({quoted}) < 5 then 1 when length({quoted}) < 12 then 3 else 6 end", 0)


def _ends(column: str, first: str, last: int) -> str:
    """The first and last characters, stars between; nothing but stars where they would meet."""
    stars = f"repeat('{STARS}', length({column}) - {first} - {last})"
    end = f" || right({column}, {last})" if last else ""
    return f"case when length({column}) > {first} + {last} then left({column}, {first}) || {stars}{end} else repeat('{STARS}', length({column})) end"
