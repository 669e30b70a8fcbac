"""The declarations in force, for the whole process.

`Declarations` is what a release becomes after loading: read-only, typed, with the release's digest. `put_in_force` is called by the composition
root (from the database) and by tests (from a folder).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from haitang.base.declarations.kinds import kind_of
from haitang.base.declarations.model import Declaration
from haitang.base.errors import HaitangError, error

if TYPE_CHECKING:
    from haitang.base.declarations.owners import Owner

T = TypeVar("T", bound=Declaration)

NOT_DECLARED = error("base.not_declared", 404, "没有声明“{id}”（{kind}）。")
NOTHING_IN_FORCE = error("base.nothing_in_force", 503, "还没有生效的声明版本。请运行 haitang apply。")


class Declarations:
    """All declarations of one release, by kind and id; `owners` are the folders (with their texts) that they come from."""

    def __init__(self, digest: str, by_kind: Mapping[str, Mapping[str, Declaration]], *, owners: "Sequence[Owner]" = ()) -> None:
        self.digest = digest
        self.owners = tuple(owners)
        self._by_kind = {name: MappingProxyType(dict(found)) for name, found in by_kind.items()}

    def all(self, model: type[T]) -> Mapping[str, T]:
        """Every declaration of a kind, by id, in the order of owner and file."""
        return self._by_kind.get(kind_of(model).name, MappingProxyType({}))  # type: ignore[return-value]

    def get(self, model: type[T], id: str) -> T:
        """One declaration; raises NOT_DECLARED."""
        found = self.all(model).get(id)
        if found is None:
            raise NOT_DECLARED(id=id, kind=kind_of(model).title)
        return found

    def one(self, model: type[T]) -> T:
        """The only declaration of a kind that exists once (the place)."""
        return next(iter(self.all(model).values()))


_current: Callable[[], Declarations] | None = None


def put_in_force(source: Declarations | Callable[[], Declarations]) -> None:
    """Set what `in_force` gives: fixed declarations, or a function that looks up the release in force (and may cache)."""
    global _current
    _current = (lambda: source) if isinstance(source, Declarations) else source


@contextmanager
def holding(source: Declarations | Callable[[], Declarations]) -> Iterator[None]:
    """Put `source` in force inside the block: for spec tables and tests."""
    global _current
    before = _current
    put_in_force(source)
    try:
        yield
    finally:
        _current = before


def in_force() -> Declarations:
    """The declarations in force in this process; raises NOTHING_IN_FORCE before the first release."""
    if _current is None:
        raise NOTHING_IN_FORCE()
    return _current()


def release_digest() -> str:
    """The digest of the release in force, or an empty string before the first one (migrations, first start)."""
    try:
        return in_force().digest
    except HaitangError as failure:
        if failure.kind is NOTHING_IN_FORCE:
            return ""
        raise
