"""The cases of the demonstration as stories: who does what, and how long after the step before. Times are written on the clocks of procedures.

A story of the past begins with an alarm of the back-filled series, one of REPORTS with what somebody reported; one that is still open is placed so that
its last step has just been made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from haitang.base.durations import parse_limit
from haitang.support.standards import clocks
from haitang.support.standards.calendar import WorkingCalendar


@dataclass(frozen=True)
class Step:
    """`role` does `what` (a move, or attach, pause, ask_extension, decide_extension, remark, nothing) `later` than the step before."""

    later: str
    role: str = ""
    what: str = ""
    answers: dict[str, Any] | None = None


@dataclass(frozen=True)
class Story:
    """`word` names it for good. `open`: it ends now; else it begins with its alarm. A report has a `source`, a `title`, and where it is past, `days_ago`."""

    word: str
    steps: tuple[Step, ...]
    open: bool = False
    source: str = ""
    title: str = ""
    days_ago: int = 0


NOTE = "已到现场核查，周边两处工地已落实洒水和覆盖。（示例）"
AGAIN = "复查发现裸土未覆盖，已责令当场整改并拍照。（示例）"


def dispatch(later: str = "9 emergency minutes") -> Step:
    return Step(later, "dispatcher", "dispatch")


def handle(later: str = "90 working minutes", note: str = NOTE) -> tuple[Step, ...]:
    return Step(later, "handler", "attach"), Step("4 working minutes", "handler", "handle", {"note": note})


def accept(later: str = "50 working minutes") -> Step:
    return Step(later, "verifier", "accept")


def send_again(later: str = "40 working minutes") -> Step:
    return Step(later, "verifier", "return", {"reason": "照片看不出整改结果，请补拍。（示例）"})


ASK = {"reason": "需联合住建部门核查三处工地，申请延期。（示例）"}
OPEN = (
    Story("filed", (Step("6 emergency minutes"),), open=True),
    Story("filed-2", (Step("19 emergency minutes"),), open=True),
    Story("dispatched", (dispatch("4 emergency minutes"), Step("25 working minutes")), open=True),
    Story("dispatched-2", (dispatch("7 emergency minutes"), Step("70 working minutes")), open=True),
    Story("due-soon", (dispatch(), Step("200 working minutes")), open=True),
    Story("handled", (dispatch(), *handle("60 working minutes"), Step("15 working minutes")), open=True),
    Story("handled-2", (dispatch("12 emergency minutes"), *handle(), Step("60 working minutes")), open=True),
    Story("returned", (dispatch(), *handle("50 working minutes"), send_again(), Step("30 working minutes")), open=True),
    Story(
        "paused",
        (dispatch(), Step("60 working minutes", "handler", "pause", {"reason": "waiting_for_test"}), Step("3 working hours")),
        open=True,
    ),
    Story("extension", (dispatch(), Step("2 working hours", "handler", "ask_extension", ASK), Step("20 working minutes")), open=True),
    Story("overdue", (dispatch(), Step("30 working hours")), open=True),
    Story("never-dispatched", (Step("3 working hours"),), open=True),
)
USUAL = (dispatch(), *handle(), accept())
PAST = (
    Story("closed-1", USUAL),
    Story("closed-2", (dispatch("14 emergency minutes"), *handle("3 working hours"), accept("30 working minutes"))),
    Story("rejected", (Step("16 emergency minutes", "dispatcher", "reject", {"reason": "与邻站比对为仪器校准，不属超标。（示例）"}),)),
    Story("closed-3", (dispatch("6 emergency minutes"), *handle("2 working hours"), accept("2 working hours"))),
    Story("returned-closed", (dispatch(), *handle(), send_again(), *handle("2 working hours", AGAIN), accept())),
    Story("closed-4", USUAL),
    Story("late-1", (dispatch("50 emergency minutes"), *handle("25 working hours"), accept("2 working hours"))),
    Story("closed-5", (dispatch("11 emergency minutes"), *handle("40 working minutes"), accept("3 working hours"))),
    Story(
        "extended",
        (
            dispatch(), Step("2 working hours", "handler", "ask_extension", ASK),
            Step("90 working minutes", "department_head", "decide_extension", {"approved": True, "reason": "同意，请按期办结。（示例）"}),
            *handle("16 working hours"), accept(),
        ),
    ),
    Story("closed-6", USUAL),
    Story("closed-7", (dispatch("3 emergency minutes"), *handle("110 working minutes"), accept("20 working minutes"))),
    Story("paused-closed", (
        dispatch(), Step("30 working minutes", "handler", "pause", {"reason": "waiting_for_test"}),
        Step("9 working hours", "handler", "resume"), *handle("60 working minutes"), accept(),
    )),
    Story("closed-8", USUAL),
    Story("closed-9", (dispatch("8 emergency minutes"), *handle("70 working minutes"), accept("80 working minutes"))),
    Story("closed-10", USUAL),
    Story("closed-11", (dispatch("5 emergency minutes"), *handle("50 working minutes"), accept("35 working minutes"))),
)  # fmt: skip


FILE = Step("6 emergency minutes", "dispatcher", "file")
REPORTS = (
    Story("report-waits", (Step("9 emergency minutes"),), open=True, source="hotline", title="市民来电反映工地扬尘（示例）"),
    Story(
        "report-dispatched", (FILE, dispatch(), Step("40 working minutes")), open=True, source="inspector", title="巡查发现渣土车带泥上路（示例）"
    ),
    Story(
        "report-dismissed", (Step("12 emergency minutes", "dispatcher", "dismiss", {"reason": "经核实不在本区管辖范围，已告知反映人。（示例）"}),),
        source="hotline", title="市民来电反映夜间异味（示例）", days_ago=3,
    ),
    Story("report-closed", (FILE, *USUAL), source="public", title="群众反映露天焚烧秸秆（示例）", days_ago=8),
    Story("report-closed-2", (FILE, *USUAL), source="inspector", title="巡查发现裸土未覆盖（示例）", days_ago=15),
    Story(
        "report-dismissed-2", (Step("8 emergency minutes", "dispatcher", "dismiss", {"reason": "与在办案件重复，并入办理。（示例）"}),),
        source="public", title="群众反映工地扬尘（示例）", days_ago=22,
    ),
    Story("report-closed-3", (FILE, *USUAL), source="video", title="视频发现物料堆场未遮盖（示例）", days_ago=33),
)  # fmt: skip


def times(opened: datetime, steps: Sequence[Step], calendar: WorkingCalendar) -> list[datetime]:
    """When each step is made."""
    found, at = [], opened
    for step in steps:
        at = clocks.after(at, parse_limit(step.later), calendar)
        found.append(at)
    return found


def opened_so_that_it_ends(now: datetime, steps: Sequence[Step], calendar: WorkingCalendar) -> datetime:
    """The latest opening (to a few minutes) from which all steps have been made by `now`."""
    at, back = now, timedelta(minutes=1)
    while times(at, steps, calendar)[-1] > now:
        at -= back
        back = min(back * 1.2, timedelta(hours=1))
    return at
