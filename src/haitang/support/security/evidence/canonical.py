"""The one byte form of a JSON value that is hashed and signed: RFC 8785 (JSON Canonicalization Scheme).

Keys in the order of their UTF-16 code units, no blanks, shortest numbers as ECMAScript writes them, UTF-8. Pure, so that the offline verifier uses the very same code.
"""

import math
from json.encoder import encode_basestring as _quoted
from typing import Any

_LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value; ValueError where RFC 8785 has none (NaN, integers beyond 2^53 - 1, other types)."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError(f"integer {value} does not survive JSON: write it as text")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("keys must be text")
        keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join([f"{_quoted(key)}:{_text(value[key])}" for key in keys]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(inner) for inner in value) + "]"
    raise ValueError(f"{type(value).__name__} has no canonical form")


def _number(value: float) -> str:
    """As ECMAScript's Number::toString: plain from 1e-6 up to 1e21, else with exponent."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value!r}e0".partition("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent.split("e")[0]) + len(whole)
    digits = whole + fraction
    stripped = digits.lstrip("0")
    power -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    return sign + _placed(digits, power)


def _placed(digits: str, power: int) -> str:
    """`digits` as 0.digits times 10 to the `power`, written the ECMAScript way."""
    if len(digits) <= power <= 21:
        return digits + "0" * (power - len(digits))
    if 0 < power <= 21:
        return f"{digits[:power]}.{digits[power:]}"
    if -6 < power <= 0:
        return "0." + "0" * -power + digits
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{tail}e{power - 1:+d}"
