"""A roster of staff as a workbook: the template, what it says, and what would come of it, with every error beside its cell."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

import xlsxwriter
from django.db.models.functions import Lower
from python_calamine import CalamineError, CalamineWorkbook

from haitang.base import ports
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.text import T, translate
from haitang.base.workbooks import check_workbook
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person
from haitang.support.security.people.officers import is_officer
from haitang.support.security.people.told import wrong_name, wrong_username, wrong_ways

NOT_A_WORKBOOK = error("people.not_a_workbook", 400, "读不了这个文件：{reason}。请用“下载模板”得到的 .xlsx 填写后上传。")
TOO_MANY = error("people.roster_too_long", 400, "一次最多导入 {most} 行。请分成几份上传。")

COLUMNS = {
    "staff_number": T("工号"), "name": T("姓名"), "username": T("用户名"), "organization": T("机构编号"), "mobile": T("手机号"),
    "email": T("电子邮件"), "roles": T("申请角色"), "state": T("状态"),
}  # fmt: skip
SERVING, LEFT = "在职", "离任"
MOST, LARGEST = 5000, 10 * 1024 * 1024


@dataclass
class Line:
    """One row: what it says, what it does (create, update, leave, same), and what is wrong with which cell."""

    number: int
    told: dict[str, str]
    does: str = "create"
    person: Person | None = None
    roles: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def template() -> bytes:
    """An empty workbook with the columns, choices for organization and state, and a sheet that explains both."""
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet, lists = book.add_worksheet("名册"), book.add_worksheet("填写说明")
    bold, text = book.add_format({"bold": True, "bg_color": "#f3e3ea"}), book.add_format({"num_format": "@"})
    organizations = list(Organization.objects.filter(active=True).order_by("id").values_list("id", "title"))
    for number, title in enumerate(COLUMNS.values()):
        sheet.write(0, number, title, bold)
    sheet.set_column(0, len(COLUMNS) - 1, 18, text)
    sheet.freeze_panes(1, 0)
    lists.write_row(0, 0, ["机构编号", "机构名称", "", "角色编号", "角色名称", "", "状态"], bold)
    for row, (id, title) in enumerate(organizations, 1):
        lists.write_row(row, 0, [id, title])
    for row, (id, role) in enumerate(in_force().all(Role).items(), 1):
        lists.write_row(row, 3, [id, role.title])
    lists.write_column(1, 6, [SERVING, LEFT])
    lists.set_column(0, 6, 22)
    if organizations:
        sheet.data_validation(1, 3, MOST, 3, {"validate": "list", "source": f"=填写说明!$A$2:$A${len(organizations) + 1}"})
    sheet.data_validation(1, 7, MOST, 7, {"validate": "list", "source": [SERVING, LEFT]})
    book.close()
    return out.getvalue()


def read(content: bytes) -> tuple[str, list[dict[str, str]]]:
    """(digest, rows) of a workbook's first sheet; raises NOT_A_WORKBOOK, TOO_MANY."""
    if len(content) > LARGEST:
        raise NOT_A_WORKBOOK(reason=translate(T("文件超过 10 MB")))
    try:
        check_workbook(BytesIO(content))
        cells = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    except (CalamineError, OSError, ValueError, IndexError) as wrong:
        raise NOT_A_WORKBOOK(reason=str(wrong)) from None
    heads = [_text(cell) for cell in cells[0]] if cells else []
    names = {title: name for name, title in COLUMNS.items()}
    missing = [title for name, title in COLUMNS.items() if name in ("staff_number", "name") and title not in heads]
    if missing:
        raise NOT_A_WORKBOOK(reason=translate(T("缺少“{column}”列"), column=missing[0]))
    rows = [
        {"row": str(number), **{names[head]: _text(cell) for head, cell in zip(heads, row, strict=False) if head in names}}
        for number, row in enumerate(cells[1:], 2)
        if any(_text(cell) for cell in row)
    ]
    if len(rows) > MOST:
        raise TOO_MANY(most=MOST)
    return hashlib.sha256(content).hexdigest(), rows


def _text(cell: object) -> str:
    """A number that somebody typed into a text column is the digits that they see."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def plan(rows: list[dict[str, str]]) -> list[Line]:
    """What each row would do, against the people there are now."""
    numbers = [row.get("staff_number", "") for row in rows]
    known = {str(p.staff_number): p for p in Person.objects.filter(staff_number__in=numbers)}
    taken = set(
        Person.objects.annotate(lower=Lower("username"))
        .filter(lower__in=[_username(row).lower() for row in rows])
        .values_list("lower", flat=True)
    )
    organizations = set(Organization.objects.filter(active=True).values_list("id", flat=True))
    roles = {**{id: id for id in in_force().all(Role)}, **{role.title: id for id, role in in_force().all(Role).items()}}
    twice = {number for number, count in Counter(numbers).items() if count > 1}
    names = {name for name, count in Counter(_username(row).lower() for row in rows).items() if count > 1}
    lines = []
    for row in rows:
        told = {name: row.get(name, "") for name in COLUMNS} | {"username": _username(row)}
        line = Line(int(row["row"]), told, person=known.get(told["staff_number"]))
        line.errors = dict(_wrong(line, twice, names, taken, organizations, roles))
        line.roles = [roles[word] for word in _words(told["roles"]) if word in roles]
        line.does = _does(line)
        lines.append(line)
    return lines


def _username(row: Mapping[str, str]) -> str:
    return row.get("username") or row.get("staff_number", "")


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[、,，;；\s]+", text) if word]


def _does(line: Line) -> str:
    if line.told["state"] == LEFT:
        return "same" if line.person and line.person.left_at else "leave"
    if line.person is None:
        return "create"
    now = {
        "name": line.person.name,
        "email": line.person.email,
        "mobile": line.person.mobile,
        "organization": line.person.organization_id or "",
    }
    return "update" if line.roles or any(now[name] != line.told[name] for name in now) else "same"


def _wrong(
    line: Line, twice: set[str], names: set[str], taken: set[str], organizations: set[str], roles: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """(column, what is wrong and how to mend it)."""
    told = line.told
    if not told["staff_number"]:
        yield "staff_number", translate(T("请填写工号"))
    elif told["staff_number"] in twice:
        yield "staff_number", translate(T("工号在名册中出现了两次"))
    if told["state"] not in ("", SERVING, LEFT):
        yield "state", translate(T("只能写“在职”或“离任”"))
    if told["state"] == LEFT:
        yield from _wrong_leave(line)
        return
    if reason := wrong_name(told["name"]):
        yield "name", reason
    if line.person is None and (reason := wrong_username(told["username"])):
        yield "username", reason
    elif line.person is None and told["username"].lower() in taken | names:
        yield "username", translate(T("用户名已被使用"))
    if told["organization"] and told["organization"] not in organizations:
        yield "organization", translate(T("没有这个机构编号，可用的见“填写说明”"))
    yield from wrong_ways(told)
    if line.person is not None and is_officer(line.person):
        for name in ("email", "mobile"):
            if told[name] != getattr(line.person, name):
                yield name, translate(T("三员的邮箱和手机号只能由本人在“我的账号”修改"))
    unknown = [word for word in _words(told["roles"]) if word not in roles]
    if unknown:
        yield "roles", translate(T("没有角色“{role}”，可用的见“填写说明”"), role=unknown[0])
    if line.person is not None and line.person.left_at:
        yield "state", translate(T("此人已离任，不能由名册恢复。请在人员页面启用"))


def _wrong_leave(line: Line) -> Iterator[tuple[str, str]]:
    if line.person is None:
        yield "staff_number", translate(T("没有这个工号的人员，无法办理离任"))
    elif not line.person.left_at and (open_now := ports.duties().open_of(str(line.person.pk))):
        yield "state", translate(T("还有 {n} 件未办结的事项，请在人员页面办理离任并指定接手人"), n=open_now)
