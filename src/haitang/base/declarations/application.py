"""The kind `application`: the tiny manifest of an application's folder."""

from typing import Annotated

from haitang.base.declarations.kinds import kind
from haitang.base.declarations.model import Declaration, Reference, Text


@kind("application", title="应用", folder="application", shape="one")
class Application(Declaration):
    """An application: its title and the organization role that provides it. What it needs is derived, not written."""

    title: Text
    provider: Annotated[str, Reference("organization role")] | None = None
