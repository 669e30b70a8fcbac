"""Which indicators are computed from each field of a resource, by way of derivations."""

from collections.abc import Mapping

from haitang.base.declarations import in_force
from haitang.hub.data.catalogue.uses import Use
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.uses import of_columns
from haitang.hub.data.indicators import sql
from haitang.hub.data.indicators.kinds import Indicator


def uses(resource: str) -> Mapping[str, list[Use]]:
    """Field -> the indicators that read a column which is computed from it."""
    derives = in_force().all(Derive).keys()
    over_lake = [indicator for indicator in in_force().all(Indicator).values() if indicator.over == "lake"]
    trees = [(indicator, sql.parse(indicator.value, derives)) for indicator in over_lake]
    found: dict[str, list[Use]] = {}
    for field, columns in of_columns(resource).items():
        for indicator, tree in trees:
            named = set(sql.columns_in(tree))
            if any(columns.get(table, frozenset()) & named for table in sql.tables_in(tree)):
                found.setdefault(field, []).append(Use("indicator", indicator.id, indicator.title, f"/indicators/{indicator.id}"))
    return found
