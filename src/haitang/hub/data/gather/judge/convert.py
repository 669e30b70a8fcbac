"""SQL that turns the text of a cell into the value of a field; null where it cannot.

`t` is the trimmed text (null where there is none). Times without an offset are China's civil time.
"""

from haitang.hub.data.catalogue.kinds import ResourceField
from haitang.hub.data.catalogue.tables import decimal
from haitang.hub.data.lake.buckets import CHINA
from haitang.hub.data.lake.connection import quoted

_THOUSANDS = "[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?"
_DATES = ("%Y年%m月%d日", "%Y%m%d", "%Y.%m.%d")
_TIMES = (
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日%H时%M分",
    "%Y%m%d%H%M%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
)
_YES, _NO = ("是", "有", "true", "yes", "y", "1", "√"), ("否", "无", "false", "no", "n", "0", "×")


CONVERTED = frozenset({"integer", "number", "decimal", "boolean", "date", "datetime", "point"})  # types whose value is not the text itself


def value(t: str, field: ResourceField) -> str:
    """SQL of the value of a text `t`, in the column's type."""
    match field.type:
        case "integer":
            return f"coalesce(try_cast({t} as bigint), {_thousands(t, 'bigint')})"
        case "number":
            return f"coalesce(try_cast({t} as double), {_thousands(t, 'double')})"
        case "decimal":
            type = decimal(field)
            return f"coalesce(try_cast({t} as {type}), {_thousands(t, type)})"
        case "boolean":
            words = {True: _YES, False: _NO}
            return (
                "case "
                + " ".join(f"when lower({t}) in ({', '.join(map(quoted, w))}) then {str(v).lower()}" for v, w in words.items())
                + " end"
            )
        case "date":
            formats = [*field.formats, *_DATES]
            return f"coalesce(try_cast({t} as date), {_parsed(t, formats)}::date)"
        case "datetime":
            zoned = f"case when regexp_matches({t}, '([Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})$') and length({t}) > 16 then try_cast({t} as timestamptz) end"
            naive = f"coalesce(try_cast({t} as timestamp), {_parsed(t, [*field.formats, *_TIMES, *_DATES])})"
            return f"coalesce({zoned}, make_timestamptz(epoch_us({naive}) - {CHINA}))"
        case _:
            return t


def _thousands(t: str, type: str) -> str:
    return f"case when contains({t}, ',') and regexp_full_match({t}, '{_THOUSANDS}') then try_cast(replace({t}, ',', '') as {type}) end"


def _parsed(t: str, formats: list[str]) -> str:
    return f"try_strptime({t}, [{', '.join(map(quoted, formats))}])"


def misfit(t: str, v: str, stands: str, field: ResourceField) -> str | None:
    """SQL of: there is a text, but it is no value of the type; None for types that every text fits. `stands`: SQL of whether the text is how its value is
    written (`standing`), so that it needs no closer look."""
    wrong = f"({t} is not null and {v} is null)"
    match field.type:
        case "integer":
            other = f"(not regexp_full_match({t}, '[+-]?[0-9,]+') and (try_cast({t} as double) <> {v} or not regexp_full_match({t}, '[+-]?[0-9.]+')))"
            return f"({wrong} or (not {stands} and {other}))"
        case "number":
            return f"({wrong} or not isfinite({v}) or (contains({t}, '_')))"
        case "decimal":
            longer = f"instr({t}, '.') > 0 and length({t}) - instr({t}, '.') > {field.digits}"
            decimals = f"({longer} and length(rtrim(split_part({t}, '.', 2), '0')) > {field.digits})"
            other = f"({decimals} or contains({t}, 'e') or contains({t}, 'E') or contains({t}, '_'))"
            return f"({wrong} or (not {stands} and {other}))"
        case "date":
            return f"({wrong} or (not {stands} and strlen({t}) > 10 and try_cast({t} as timestamp) <> {v}::timestamp))"
        case "boolean" | "datetime":
            return wrong
        case _:
            return None
