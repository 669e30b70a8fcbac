"""The checksum of HJ 212, which is not CRC-16/MODBUS: the high byte of the register moves down before the byte is mixed in (2017, appendix A).

So a step keeps of the register only its high byte, and what it does to that byte is linear over XOR; eight steps in a row give every byte back unchanged.
Bytes whose distance from the end differs by eight therefore add up by XOR: a segment folds to eight bytes before the table is asked.
"""


def _steps(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


_TABLE = tuple(_steps(low) for low in range(256))
_GROUP = 64  # bits


def checksum(segment: bytes) -> int:
    """The 16-bit checksum of a data segment."""
    if not segment:
        return 0xFFFF
    number, bits = int.from_bytes(segment, "big") ^ (0xFF << (8 * (len(segment) - 1))), _GROUP
    while number >> bits:
        bits *= 2
    while bits > _GROUP:
        bits //= 2
        number = (number >> bits) ^ (number & ((1 << bits) - 1))
    register = 0
    for byte in number.to_bytes(8, "big"):
        register = _TABLE[(register >> 8) ^ byte]
    return register


def written(segment: bytes) -> bytes:
    """The checksum as it stands on the wire: four upper-case hexadecimal digits."""
    return b"%04X" % checksum(segment)


def matches(segment: bytes, digits: bytes) -> bool:
    """Whether `digits` (either case: stations write both) are the checksum of `segment`."""
    return written(segment) == digits.upper()
