"""Which derivations are computed from each field of a resource, read from their SQL."""

from collections.abc import Mapping
from functools import lru_cache

from haitang.base.declarations import in_force
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import columns_of_field
from haitang.hub.data.catalogue.uses import Use
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.lineage import GATHERED, lineage


def of_columns(resource: str) -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Field of a resource -> derivation -> the columns of it that are computed from the field."""
    return _of_columns(resource, in_force().digest)


@lru_cache(maxsize=64)
def _of_columns(resource: str, release: str) -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Kept for each release, since reading lineage from the SQL takes a while."""
    declared = in_force().get(Resource, resource)
    fields = {
        f"{resource}.{column}, {GATHERED}": name for name, field in declared.fields.items() for column in columns_of_field(name, field)
    }
    found: dict[str, dict[str, frozenset[str]]] = {}
    for derive in in_force().all(Derive):
        for column, origins in lineage(derive).items():
            for field in {fields[origin] for origin in origins if origin in fields}:
                columns = found.setdefault(field, {})
                columns[derive] = columns.get(derive, frozenset()) | {column}
    return found


def uses(resource: str) -> Mapping[str, list[Use]]:
    """Field -> the derivations that are computed from it."""
    derives = in_force().all(Derive)
    return {
        field: [Use("derive", id, derives[id].title, f"/derivations/{id}") for id in sorted(found)]
        for field, found in of_columns(resource).items()
    }
