"""The checksum of HJ 212, which is not CRC-16/MODBUS: the high byte of the register moves down before the byte is mixed in (2017, appendix A)."""


def _steps(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


_TABLE = tuple(_steps(low) for low in range(256))


def checksum(segment: bytes) -> int:
    """The 16-bit checksum of a data segment."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        register = (register >> 8) ^ _TABLE[register & 0xFF]
    return register


def written(segment: bytes) -> bytes:
    """The checksum as it stands on the wire: four upper-case hexadecimal digits."""
    return b"%04X" % checksum(segment)


def matches(segment: bytes, digits: bytes) -> bool:
    """Whether `digits` (either case: stations write both) are the checksum of `segment`."""
    return written(segment) == digits.upper()
