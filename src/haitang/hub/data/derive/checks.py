"""What `haitang check` asks of derivations, and how their spec tables are run."""

from collections.abc import Iterable

import sqlglot

from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.declarations.functions import functions_of
from haitang.base.declarations.spec import Failure, SpecTable, spec
from haitang.base.errors import HaitangError
from haitang.hub.data.catalogue.kinds import LEVELS
from haitang.hub.data.derive import fields, udf
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.plan import order
from haitang.hub.data.derive.sources import device_of, read
from haitang.hub.data.derive.specs import run_table
from haitang.hub.data.derive.sql import TABLE_FUNCTIONS, condition


@check(Derive)
def statement_reads(derive: Derive, context: Context) -> Iterable[Problem]:
    """The SELECT parses, reads only known sources, and uses allowed functions."""
    try:
        parsed = read(derive.sql, context.declarations)
        for source in parsed.sources:
            if source.kind in TABLE_FUNCTIONS:
                device_of(context.declarations, source.name)
        module = functions_of(derive.owner, context.declarations) if parsed.functions else None
        for name in sorted(parsed.functions):
            udf.signature(udf.function(module, derive.owner, name))
    except HaitangError as reason:
        yield Problem(
            "sql",
            reason.kind.sentence,
            "可用的来源：hour_means_of('设备类型')、day_means_of('设备类型')、其他派生数据、数据资源、数据湖表",
            data=reason.data,
        )


@check(Derive)
def no_cycle(derive: Derive, context: Context) -> Iterable[Problem]:
    """Derivations do not read each other in a circle."""
    derives = context.all(Derive)
    try:
        order({id: read(found.sql, context.declarations) for id, found in derives.items()})
    except HaitangError as reason:
        if derive.id in str(reason.data.get("reason", "")).partition("：")[2].split(" → "):
            yield Problem("sql", reason.kind.sentence, "去掉其中一个引用", data=reason.data)


@check(Derive)
def bucket_is_named(derive: Derive, context: Context) -> Iterable[Problem]:
    """An incremental derivation says its `time` and has it in its grain; a keyed one is by station."""
    if derive.kind == "incremental" and derive.time is None:
        yield Problem("kind", "incremental 需要说明按什么时间增量计算", "加上 time: hour 或 time: day")
    elif derive.kind == "incremental" and derive.time not in derive.grain:
        yield Problem("grain", "incremental 的 grain 里需要有 {time}", "写成 grain: [station, {time}]", data={"time": derive.time})
    if derive.looks_back and derive.kind != "incremental":
        yield Problem("looks_back", "只有 incremental 需要说明往前读多久", "去掉 looks_back，或写 kind: incremental")
    if derive.kind != "full" and not _observes(derive, context):
        yield Problem("kind", "只读数据资源的派生数据每次采集后全部重算", "写成 kind: full，或不写")
        return
    if derive.kind == "keyed" and "station" not in derive.grain:
        yield Problem("grain", "keyed 按站点计算，grain 里需要有 station", "写成 grain: [station]")


def _observes(derive: Derive, context: Context) -> bool:
    """Whether a statement reads anything but resources; one that cannot be read is another check's matter."""
    try:
        sources = read(derive.sql, context.declarations).sources
    except HaitangError:
        return True
    return not sources or any(source.kind != "resource" for source in sources)


@check(Derive)
def fields_exist(derive: Derive, context: Context) -> Iterable[Problem]:
    """Every column that a statement over resources names is a field of what it reads."""
    unknown, known = fields.unknown(derive, context.declarations)
    for name in unknown:
        yield Problem("sql", "所读的数据里没有“{name}”", "可用的有：{known}", data={"name": name, "known": "、".join(known)})


@check(Derive)
def protected_is_only_counted(derive: Derive, context: Context) -> Iterable[Problem]:
    """A field above general level is counted or compared, never selected: whoever may read derived data would read it unmasked."""
    for name, level in fields.selected_above_general(derive, context.declarations):
        yield Problem(
            "sql", "选出了{level}级字段“{name}”，派生数据不遮盖", "只用于条件或 count({name})", data={"name": name, "level": LEVELS[level]}
        )  # fmt: skip


@check(Derive)
def columns_are_selected(derive: Derive, context: Context) -> Iterable[Problem]:
    """What grain and titles name, and what tests compare, is selected."""
    try:
        tree = read(derive.sql, context.declarations).tree
    except HaitangError:
        return
    selected = set(tree.named_selects)
    if "*" in selected:
        return
    named = [("grain", column) for column in derive.grain] + [(f"titles.{column}", column) for column in derive.titles]
    for number, text in enumerate(derive.tests):
        try:
            named += [(f"tests.{number}", column.name) for column in condition(text).find_all(sqlglot.exp.Column)]
        except HaitangError as reason:
            yield Problem(f"tests.{number}", reason.kind.sentence, "写成 aqi between 0 and 500", data=reason.data)
    for path, column in named:
        if column not in selected:
            yield Problem(
                path, "语句没有选出列 {column}", "已有的列：{known}", data={"column": column, "known": "、".join(tree.named_selects)}
            )


@spec("derive")
def run(derive: Derive, table: SpecTable) -> list[Failure]:
    """Run a spec table: `given` stands for the derivation's source."""
    return run_table(derive, table)
