"""What `haitang check` asks of sources."""

from collections.abc import Iterable

from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.declarations.spec import Failure, SpecTable, spec
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.specs import run_table


@check(Source)
def columns_name_fields(source: Source, context: Context) -> Iterable[Problem]:
    """Each mapped column is of a field; a point may have two."""
    resource = context.get(Resource, source.resource)
    for name, heading in source.columns.items() if resource else ():
        field = resource.fields.get(name) if resource else None
        if field is None or (isinstance(heading, list) and field.type != "point"):
            known = "、".join(resource.fields) if resource else ""
            yield Problem(f"columns.{name}", "资源没有这样的字段“{name}”", "可用的字段：{known}", data={"name": name, "known": known})


@check(Source)
def one_way_in(source: Source, context: Context) -> Iterable[Problem]:
    """A source is a folder or a database."""
    if source.folder and source.database:
        yield Problem("database", "一个来源只能有 folder 或 database 之一", "分成两个来源")


@spec("resource")
def run(resource: Resource, table: SpecTable) -> list[Failure]:
    """Run a spec table: `given` are rows of a file whose headings are the fields."""
    return run_table(resource, table)
