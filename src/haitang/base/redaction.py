"""What must not stand in a log: numbers by which a person is known, addresses, secrets.

The second line of defence. The first is that nobody logs such values; this one catches what an exception of a library quotes (`Key (mobile)=(139…)`). Names cannot be told
from other words by their form, so that they depend on the first line alone.
"""

import re
from contextlib import suppress
from typing import TextIO

_EDGE, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
PATTERNS: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    # GB 11643-1999, and the 15 digits of before
    ("<resident-id>", re.compile(rf"{_EDGE}[1-9][0-9]{{5}}(?:18|19|20)[0-9]{{2}}{_DAY}[0-9]{{3}}[0-9Xx]{_END}")),
    ("<resident-id>", re.compile(rf"{_EDGE}[1-9][0-9]{{5}}[0-9]{{2}}{_DAY}[0-9]{{3}}{_END}")),
    ("<mobile>", re.compile(rf"(?<![0-9A-Za-z.])(?:\+?86[- ]?)?1[3-9][0-9](?:[0-9]{{8}}|[- ][0-9]{{4}}[- ][0-9]{{4}}){_END}")),
    (r"\1<secret>@", re.compile(r"(://)[^\s/@]+@")),  # user and password in an address
    ("<email>", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")),
    (r"\1 <secret>", re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")),
    (
        r"\1<secret>",
        re.compile(
            r"(?i)((?:password|passwd|secret|access_token|refresh_token|id_token|client_secret|api_key|sessionid|csrftoken)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;)}]+"
        ),
    ),
)


def redacted(text: str) -> str:
    """`text` without what names a person or opens a door. Twice gives the same as once."""
    for instead, pattern in PATTERNS:
        text = pattern.sub(instead, text)
    return text


class Redacting:
    """A text stream that redacts whole lines before they are written; a line that was begun waits for its end, or for `flush`.

    What cannot be written, such as on a full disk, is left out: whoever says what goes wrong must not die of saying it.
    """

    LONGEST = 1 << 16  # characters without an end that are kept waiting

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._begun = stream, ""

    def write(self, text: str) -> int:
        *lines, rest = (self._begun + text).split("\n")
        self._begun = rest
        if lines:
            with suppress(OSError):
                self._stream.write("".join(f"{redacted(line)}\n" for line in lines))
        if len(self._begun) > self.LONGEST:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._begun:
            begun, self._begun = self._begun, ""
            with suppress(OSError):
                self._stream.write(redacted(begun))
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
