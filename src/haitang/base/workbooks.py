"""A workbook (.xlsx, .ods) is a zip archive: what it unpacks to is measured before a reader takes all of it into memory."""

import zipfile
import zlib
from typing import IO

MOST = 512 << 20  # bytes that all members may unpack to
MOST_MEMBERS = 2000
_BLOCK = 1 << 20


class UnpackedTooLargeError(ValueError):
    """It unpacks to more than it may, or says less of itself than it holds."""


def check_workbook(file: IO[bytes], most: int = MOST) -> None:
    """Unpack every member into nothing, within limits; what is no zip archive is left to the reader. Raises UnpackedTooLargeError.

    Sizes in the directory of an archive may lie: Python then stops at the told size and finds that the checksum does not fit.
    """
    if not zipfile.is_zipfile(file):
        return
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > most:
                raise UnpackedTooLargeError(f"解压后超过 {most >> 20} MB")
            for member in members:
                with archive.open(member) as packed:
                    while packed.read(_BLOCK):
                        pass
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as wrong:
        raise UnpackedTooLargeError(str(wrong)) from None
    finally:
        file.seek(0)
