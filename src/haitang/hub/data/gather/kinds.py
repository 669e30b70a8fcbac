"""The kind `source`: where data of a resource comes from."""

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic import Field as Key

from haitang.base.declarations import Declaration, Reference, SpanText, Text, Word, kind
from haitang.hub.data.gather.readers.types import Layout


def _moment(written: str) -> str:
    time.fromisoformat(written)
    return written


Moment = Annotated[str, AfterValidator(_moment)]


class Watched(BaseModel):
    """A folder that is looked into. `path`: absolute, or below the data directory. A file is taken once it has not changed for `settled`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    files: str = "*"
    settled: SpanText = "10s"


class Database(BaseModel):
    """A table or query of a SQL database. `url`: without a password, or the name of the setting that holds it (`env:PERMITS_DATABASE`).

    `cursor`: a column that grows with each change; not written: all rows each time, with the difference. `overlap`: how far behind the last time
    the next reading begins, for rows of transactions that commit late.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    table: str | None = None
    query: str | None = None
    cursor: str | None = None
    overlap: SpanText = "10min"

    @model_validator(mode="after")
    def _either(self) -> "Database":
        if bool(self.table) == bool(self.query):
            raise ValueError("table 和 query 写且只写一个")
        return self


@kind("source", title="数据来源", folder="sources", where="application,place")
class Source(Declaration):
    """A source of one resource: a folder, a database, or (neither written) files that people bring by page or command.

    `columns`: field -> heading in the file (for a point a list of two: longitude, latitude). `load`: `update` adds and changes by key, `full` is
    everything there is, so that what is not in it any more is marked as removed. `organization`: the role that sends it and mends what is quarantined;
    not written: the provider of the resource. A database is asked `every` so long, or `at` times of day (`02:00`, China's civil time) on all `days`
    or the working ones of the place's calendar; a folder is looked into every minute.
    """

    title: Text
    resource: Annotated[str, Reference("resource")]
    organization: Annotated[str, Reference("organization role")] | None = None
    folder: Watched | None = None
    database: Database | None = None
    every: SpanText = "1h"
    at: list[Moment] = []
    days: Literal["all", "working"] = "all"
    load: Literal["update", "full"] = "update"
    columns: dict[Word, str | Annotated[list[str], Key(min_length=2, max_length=2)]] = {}
    layout: Layout = Layout()
    synthetic: bool = False
