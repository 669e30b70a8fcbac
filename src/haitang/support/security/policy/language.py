"""The Cedar schema: which sorts of principal, actions and resources there are, and what a policy may say of them.

Every permission word is an action; `Action::"case.*"` groups those of a room, `Action::"reads"` and `Action::"writes"` those that only read and those that are acts.
The words are permissions too (`Permission`), because a token's scopes are a set of them and Cedar keeps no actions in data.
"""

from collections.abc import Iterable

READS, WRITES = "reads", "writes"
PRINCIPALS = ("Staff", "Citizen", "Enterprise", "Device", "System")

_ENTITIES = """
entity Role, Process;
entity Organization in [Organization];
entity Division in [Division];
entity Permission in [Permission];
entity Staff in [Role] {ref: String, organization?: Organization, division?: Division};
entity System in [Role, Process] {ref: String, organization?: Organization, division?: Division};
entity Citizen {ref: String, organization?: Organization, division?: Division};
entity Enterprise {ref: String, organization?: Organization, division?: Division};
entity Device {ref: String, organization?: Organization, division?: Division};
entity Resource {
    ref: String, kind: String, organization?: Organization, division?: Division, owner?: String, level?: Long, stage?: String, sharing?: String, device?: String
};
"""
_APPLIES = """appliesTo {
    principal: [Staff, Citizen, Enterprise, Device, System], resource: [Resource],
    context: {permission: Permission, scopes?: Set<Permission>, only?: Set<String>, purpose?: String, grant?: String}
};"""


def room_of(permission: str) -> str:
    """`case.move` -> `case.*`."""
    return permission.partition(".")[0] + ".*"


def groups_of(permission: str, writes: Iterable[str]) -> tuple[str, str]:
    """The action groups that a permission is in."""
    return room_of(permission), WRITES if permission in writes else READS


def schema(permissions: Iterable[str], writes: Iterable[str]) -> str:
    """The schema as Cedar writes it."""
    known, acts = sorted(permissions), frozenset(writes)
    groups = sorted({room_of(word) for word in known} | {READS, WRITES})
    lines = [f'action "{group}";' for group in groups]
    for word in known:
        within = ", ".join(f'"{group}"' for group in groups_of(word, acts))
        lines.append(f'action "{word}" in [{within}] {_APPLIES}')
    return _ENTITIES + "\n".join(lines)


def text(value: str) -> str:
    """A Cedar string literal."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
