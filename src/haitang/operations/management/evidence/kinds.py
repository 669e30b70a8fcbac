"""The kind `audit`: which records answer which clause of a standard."""

from pydantic import BaseModel, ConfigDict

from haitang.base.declarations import Declaration, Text, kind


class Clause(BaseModel):
    """One clause: what it asks, in short, and which actions (`case.*` for all of a room's) leave the records that answer it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    records: list[str] = []
    also: Text | None = None  # what else an assessor looks at


@kind("audit", title="审计对照", folder="audits", where="application,place")
class Audit(Declaration):
    """A standard that an assessor examines, clause by clause. `sure` says where the clauses were taken from.

    A place that knows better declares its own under another id: `haitang evidence clauses` takes any.
    """

    title: Text
    sure: Text
    clauses: dict[str, Clause]
