"""What `haitang check` asks of resources and code tables."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.errors import HaitangError
from haitang.base.text import Saying, T
from haitang.hub.data.catalogue.conditions import fields_of
from haitang.hub.data.catalogue.kinds import CodeTable, Resource, ResourceField
from haitang.support.infrastructure.things.kinds import Device

NUMBERS = frozenset({"integer", "number", "decimal"})
TIMES = frozenset({"date", "datetime"})


def _known(resource: Resource) -> str:
    return "、".join(resource.fields)


@check(Resource)
def key_names_fields(resource: Resource, context: Context) -> Iterable[Problem]:
    """The key is made of fields, none of them a point."""
    for number, name in enumerate(resource.key):
        if name not in resource.fields or resource.fields[name].type == "point":
            yield Problem(
                f"key.{number}",
                "主键用到的“{name}”不是可作主键的字段",
                "可用的字段：{known}",
                data={"name": name, "known": _known(resource)},
            )


@check(Resource)
def sharing_has_a_basis(resource: Resource, context: Context) -> Iterable[Problem]:
    """Conditional sharing says its condition, no sharing its legal basis (《政务信息资源目录编制指南（试行）》)."""
    if resource.sharing != "unconditional" and not resource.basis:
        word = T("条件") if resource.sharing == "conditional" else T("法律、行政法规或党中央、国务院政策依据")
        yield Problem("sharing", "没有写共享的依据", "在 basis 写明{word}", data={"word": word})


@check(Resource)
def rules_fit_the_type(resource: Resource, context: Context) -> Iterable[Problem]:
    """A range is of numbers or dates, a pattern is a regular expression, a length is of text."""
    for name, field in resource.fields.items():
        for key, reason in _misfits(field):
            yield Problem(f"fields.{name}.{key}", "{reason}", "改 type，或改这一条规则", data={"reason": reason})


def _misfits(field: ResourceField) -> Iterable[tuple[str, str]]:
    if field.range is not None:
        yield from (("range", reason) for bound in field.range if bound is not None and (reason := _bound_misfit(field.type, bound)))
    if field.pattern is not None:
        try:
            re.compile(field.pattern)
        except re.error as reason:
            yield "pattern", Saying("正则表达式读不懂：{reason}", reason=str(reason))
    if field.type in NUMBERS | TIMES | {"boolean", "point"}:
        yield from ((key, Saying("{key} 只用于文本", key=key)) for key in ("pattern", "length") if getattr(field, key) is not None)
    if field.type == "point" and (field.unique or field.code_table or field.references):
        yield "type", Saying("点位不能有 unique、code_table 或 references")


def _bound_misfit(type: str, bound: Any) -> str:
    if type in NUMBERS:
        return "" if isinstance(bound, int | float) else Saying("{bound} 不是数", bound=bound)
    if type not in TIMES:
        return Saying("range 只用于数和日期")
    try:
        (date if type == "date" else datetime).fromisoformat(str(bound))
    except ValueError:
        return Saying("{bound} 不是日期，写成 2026-03-01", bound=bound)
    return ""


@check(Resource)
def references_are_declared(resource: Resource, context: Context) -> Iterable[Problem]:
    """What a field refers to is a field of a resource."""
    for name, field in resource.fields.items():
        other, _, referred = (field.references or "").partition(".")
        found = context.get(Resource, other)
        if field.references and (found is None or referred not in found.fields):
            yield Problem(
                f"fields.{name}.references", "没有声明“{referred}”", "写成 资源.字段", data={"referred": field.references}
            )  # fmt: skip


@check(Resource)
def conditions_read(resource: Resource, context: Context) -> Iterable[Problem]:
    """Conditions between fields parse and name fields."""
    for number, condition in enumerate(resource.checks):
        try:
            unknown = [name for name in fields_of(condition.must) if name not in resource.fields or resource.fields[name].type == "point"]
        except HaitangError as reason:
            yield Problem(
                f"checks.{number}", "{reason}", "写成 expires >= issued", data={"reason": Saying(reason.kind.sentence, **reason.data)}
            )
            continue
        for name in unknown:
            yield Problem(
                f"checks.{number}", "条件里的“{name}”不是字段", "可用的字段：{known}", data={"name": name, "known": _known(resource)}
            )


@check(CodeTable)
def parents_are_codes(table: CodeTable, context: Context) -> Iterable[Problem]:
    """The parent of a code is a code of the table."""
    for code, entry in table.codes.items():
        if entry.parent and entry.parent not in table.codes:
            yield Problem(
                f"codes.{code}.parent", "上级代码“{parent}”不在本表", "补上这个代码，或删去 parent", data={"parent": entry.parent}
            )


@check(Resource)
def series_fits(resource: Resource, context: Context) -> Iterable[Problem]:
    """A recorded series has a time, numbers, and properties that its device observes."""
    series = resource.series
    if series is None:
        return
    device = context.get(Device, series.device)
    wanted = {
        "time": (series.time, TIMES),
        "thing": (series.thing, None),
        **{f"properties.{p}": (f, NUMBERS) for p, f in series.properties.items()},
    }
    for key, (name, types) in wanted.items():
        field = resource.fields.get(name)
        if field is None or (types is not None and field.type not in types):
            yield Problem(
                f"series.{key}",
                "回放用到的“{name}”没有声明，或类型不对",
                "可用的字段：{known}",
                data={"name": name, "known": _known(resource)},
            )
    for property in series.properties if device else ():
        if device is not None and property not in device.observes:
            known = "、".join(device.observes)
            yield Problem(
                f"series.properties.{property}", "设备类型不观测“{name}”", "可用的有：{known}", data={"name": property, "known": known}
            )
