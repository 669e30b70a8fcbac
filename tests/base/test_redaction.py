"""No log line names a person: by number, address or secret, in whatever sentence it stands."""

import io
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.redaction import Redacting, redacted

PERSONAL = [
    "11010519491231002X", "440524188001010014", "110105491231002", "13900000001", "+8613900000001", "86-13900000001", "139 0000 0001",
    "li.ming@example.org", "password=river-stone-42", '"client_secret": "abcdefgh"', "Authorization: Bearer htk_abcdefgh12345678",
    "postgresql://haitang:s3cret@127.0.0.1:5432/haitang", "access_token=8f2d7", "sessionid=abc123",
]  # fmt: skip
KEPT = [
    "2026-11-25 06:03:35", "1764050615123", "seal 40 of 91350100M000100Y43", "010000A8900016F000169DC0", "127.0.0.1:9212", "0x1f390000000",
    "3f0a13900000001b", "case 500111-2026-000001", "offset 139000000010000",
]  # fmt: skip


@pytest.mark.parametrize("text", PERSONAL)
def test_what_names_a_person_or_opens_a_door_is_taken_out(text: str) -> None:
    for line in (text, f"DETAIL: Key (mobile)=({text}) already exists.", f"姓名，{text}，地址", f"x='{text}'"):
        told = redacted(line)
        assert "<" in told
        assert not any(
            part in told for part in ("11010519491231002X", "13900000001", "0000 0001", "li.ming", "river-stone", "s3cret", "8f2d7")
        )


@pytest.mark.parametrize("text", KEPT)
def test_what_operators_need_stays(text: str) -> None:
    assert redacted(f"at {text} ok") == f"at {text} ok"


@given(st.text(max_size=200))
def test_twice_is_once_and_nothing_raises(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


@given(st.lists(st.text(alphabet="ab139 0\n", max_size=30), max_size=8), st.integers(0, 9))
def test_a_number_is_found_however_its_line_is_written(pieces: list[str], cut: int) -> None:
    out = io.StringIO()
    stream = Redacting(out)
    for piece in (*pieces, "\n", "13900000001"[:cut], "13900000001"[cut:], "\n"):
        stream.write(piece)
    stream.flush()
    assert "13900000001" not in out.getvalue().splitlines()[-1]


PROGRAM = """
import logging, sys, warnings
from dataclasses import replace
from haitang.base.settings import settings, use
use(replace(settings(), log_level="DEBUG"))
from haitang.server import logs
logs.install()
import structlog
who = "11010519491231002X"
structlog.get_logger().info("gather.row", row=who, mobile="x", reason=f"duplicate {who}")
try:
    secret = {"id": who}
    raise ValueError(f"Key (id)=({who}) already exists")
except ValueError:
    structlog.get_logger().exception("failed", what=who)
    logging.getLogger("library").exception("it broke for %s", who)
logging.getLogger("library").debug("%s and %s", who, "13900000001")
print("printed", who)
warnings.warn(f"careful {who}")
print({"mobile": "13900000001"}, file=sys.stderr)
raise RuntimeError(f"last words of {who}")
"""


def test_every_way_out_of_a_process_is_covered() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    said = ran.stdout + ran.stderr
    assert said.count("<resident-id>") >= 8
    assert "11010519491231002X" not in said
    assert "13900000001" not in said
    assert "last words of" in said
    assert "secret = " in said or "Traceback" in said


def test_a_process_lives_on_though_no_log_can_be_written() -> None:
    program = "from haitang.server import logs\nlogs.install()\nimport logging, os, structlog\nfor _ in range(3000):\n"
    program += "    structlog.get_logger().error('full')\n    logging.getLogger('library').error('full')\n    print('full', flush=True)\nos._exit(42)"
    with open("/dev/full", "w") as full:
        assert subprocess.run([sys.executable, "-c", program], stdout=full, stderr=full, timeout=60).returncode == 42


def test_the_filter_on_the_root_leaves_no_arguments_behind() -> None:
    from haitang.server.logs import Redaction

    record = logging.LogRecord("x", logging.INFO, "f", 1, "mobile %s of %s", ("13900000001", "li@example.org"), None)
    assert Redaction().filter(record)
    assert record.getMessage() == "mobile <mobile> of <email>"
