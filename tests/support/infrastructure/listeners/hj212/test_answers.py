"""What is answered to what: by command and Flag."""

from datetime import UTC, datetime

import pytest

from haitang.support.infrastructure.listeners.hj212.answers import answers, on_the_wire, role
from haitang.support.infrastructure.listeners.hj212.frame import Frame, Framer
from haitang.support.infrastructure.listeners.hj212.packet import Packet, parse
from tests.support.infrastructure.listeners.hj212.samples import lines

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def packet(cn: str, cp: str = "", flag: int | None = 5) -> Packet:
    told = "" if flag is None else f"Flag={flag};"
    return parse(f"QN=20160801085857223;ST=32;CN={cn};PW=123456;MN=M1;{told}CP=&&{cp}&&".encode())


@pytest.mark.parametrize(
    ("cn", "cp", "said"),
    [
        ("2011", "DataTime=20160801085857;w01018-Rtd=1", ["9014"]),
        ("2051", "DataTime=20160801085800;w01018-Avg=1", ["9014"]),
        ("2081", "DataTime=20160801085857;RestartTime=20160801085624", ["9014"]),
        ("3020", "DataTime=20160801085857;PolId=w01018;i12001-Info=1", ["9014"]),
        ("3019", "PolId=w01018;w01018-SN=010000A8900016F000169DC1", ["9014"]),
        ("3019", "PolId=w01018", ["9011"]),
        ("2011", "", ["9014"]),
        ("1013", "PolId=w01018", ["9013"]),
        ("9015", "", ["9013"]),
        ("1001", "i23005-Info=1", ["9013"]),
        ("9021", "", ["9013"]),
        ("1011", "PolId=w01018", ["9011", "1011", "9012"]),
        ("1012", "SystemTime=20160801085857", ["9011"]),
        ("2061", "BeginTime=20160801080000;EndTime=20160801080000", ["9011"]),
        ("7777", "", ["9011"]),
        ("9014", "", []),
        ("9011", "QnRtn=1", []),
        ("9012", "ExeRtn=1", []),
        ("9013", "", []),
        ("1011", "SystemTime=20160801085857", []),
        ("1061", "RtdInterval=30", []),
    ],
)
def test_each_command_has_its_answer(cn: str, cp: str, said: list[str]) -> None:
    assert [a.cn for a in answers(packet(cn, cp), now=NOW)] == said
    for flag in (None, 0, 4, 8):
        assert answers(packet(cn, cp, flag), now=NOW) == []


def test_an_answer_is_that_of_the_standards_example() -> None:
    asked = packet("2011", "DataTime=20160801085857;w01018-Rtd=1")
    expected = b"QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=M1;Flag=4;CP=&&&&"
    wire = on_the_wire(asked, answers(asked, now=NOW)[0])
    assert wire[6:-6] == expected
    assert b"Flag=8;" in on_the_wire(packet("9015", flag=9), answers(packet("9015", flag=9), now=NOW)[0])


def test_the_time_is_told_in_china_time() -> None:
    assert answers(packet("1011", "PolId=w01018"), now=NOW)[1].cp == "PolId=w01018;SystemTime=20261123120000"


def test_a_request_with_a_wrong_password_is_told_so_and_an_upload_is_taken() -> None:
    assert answers(packet("1011"), now=NOW, password_holds=False)[0].cp == "QnRtn=3"
    assert answers(packet("2011"), now=NOW, password_holds=False)[0].cn == "9014"


def test_the_roles_in_appendix_c() -> None:
    got = [parse(f.segment) for f in Framer().feed(b"".join(lines("2017-appendix-c-framed-by-us.txt"))) if isinstance(f, Frame)]
    roles = [role(p) for p in got]
    assert "unknown" not in roles
    # What the example shows as the answer of either side is never answered.
    assert all(answers(p, now=NOW) == [] for p in got if p.flag == 4)
    assert {p.cn for p, r in zip(got, roles, strict=True) if r == "upload"} == {
        "2011",
        "2021",
        "2031",
        "2051",
        "2061",
        "2081",
        "3015",
        "3019",
        "3020",
    }
