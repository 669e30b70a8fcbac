"""The English of declarations: each owner's `locale/en.yaml`, and which texts it lacks."""

import re
from collections.abc import Iterable, Iterator, Sequence

from haitang.base import text
from haitang.base.declarations import faults
from haitang.base.declarations.build import brief, place
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.files import Raw
from haitang.base.declarations.model import Declaration
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.positions import Read, read_yaml
from haitang.base.declarations.walk import texts

FILE = "locale/en.yaml"
HAN = re.compile("[㐀-鿿]")


def _read(owner: Owner) -> Read:
    return read_yaml(owner.files.get(FILE, ""), owner.path(FILE))


def catalogue_of(owners: Iterable[Owner]) -> dict[str, str]:
    """The merged English of the owners; the place comes last and may word things its own way."""
    merged: dict[str, str] = {}
    for owner in sorted(owners, key=lambda owner: owner.where == "place"):
        if FILE in owner.files:
            merged.update(text.read_catalogue(owner.files[FILE]))
    return merged


def check_locales(owners: Iterable[Owner]) -> list[Problem]:
    problems: list[Problem] = []
    for owner in owners:
        read = _read(owner)
        problems += read.problems
        entries = read.data.items() if isinstance(read.data, dict) else []
        wrong = [(key,) for key, value in entries if not (isinstance(key, str) and isinstance(value, str))]
        if read.data is not None and not isinstance(read.data, dict):
            wrong.append(())  # type: ignore[arg-type]
        for path in wrong:
            at = read.at(path)
            assert at is not None
            problems.append(faults.LOCALE.problem(str(path[0]) if path else "").located(file=at.file, line=at.line, column=at.column))
    return problems


def missing_english(built: Iterable[tuple[Raw, Declaration]], owners: Sequence[Owner]) -> Iterator[Problem]:
    """A warning for each text with Chinese in it that has no English."""
    known = catalogue_of(owners)
    for raw, declared in built:
        for spot in texts(declared):
            if HAN.search(spot.value) and spot.value not in known and text.english(spot.value) is None:
                yield place(faults.NO_ENGLISH.problem(text=brief(spot.value)), raw, spot.path)
