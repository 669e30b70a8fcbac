"""Values of the cells of a chunk, and which rows break a rule: as the cells stand where that says it, else as DuckDB casts them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import columns_of
from haitang.hub.data.gather.judge import convert, leaves, masks, standing
from haitang.hub.data.gather.judge.questions import Questions
from haitang.hub.data.gather.judge.rules import Rule
from haitang.hub.data.gather.judge.tables import PLACE, in_order, kept, replaced

MOST_ODD = 0.1  # of a chunk's rows: where more of them do not stand as their values are written, DuckDB makes the values of all
BROKEN = "_broken"  # a column: the row breaks a rule
_POINT = ("double", "double", "varchar")


class Values:
    """`columns`: the fields that have a heading; `hashes`: name -> SQL of what tells repetitions. `questions`: about the cells, as `typed`."""

    def __init__(
        self, connection: Any, resource: Resource, columns: Sequence[str], rules: Sequence[Rule], hashes: Mapping[str, str]
    ) -> None:
        self._resource, self._columns, self._rules, self._hashes = resource, columns, rules, hashes
        fields = resource.fields
        self._texts = [n for n, f in fields.items() if n in columns and f.type not in convert.CONVERTED]
        self._computed = [column for column in columns_of(resource) if column not in self._texts]
        self._standing = {n for n, f in fields.items() if n in columns and f.type in standing.TYPES}
        self.answered = [rule for rule in rules if rule.mask and rule.field in columns]  # by masks, which stand beside the cells
        self.questions = Questions(connection, {"typed": self._typed_sql(set()), "standing": self._typed_sql(self._standing)})
        self._cast, self._given = self._sql("typed", set()), self._sql("standing", self._standing)

    def _typed_sql(self, given: set[str]) -> str:
        """Three levels, so that a text is cast once, and its value written once; `Questions` ends it with where the cells are. `given`: fields whose values stand beside
        the cells already."""
        texts, values = [PLACE, "line", masks.FAULTY], ["*"]
        for name, declared in self._resource.fields.items():
            point = dict(zip(columns_of_point(name), _POINT, strict=True)) if declared.type == "point" else {}
            stands = [standing.STANDS + name] if declared.type in standing.TYPES else []
            answered = [rule for rule in self._rules if rule.mask and rule.field == name]
            if name in self._columns:
                texts += [f'"{column}"' for column in (f"t__{name}", *stands, *(rule.mask for rule in answered), *point)]
            else:
                texts += [f'null::{type} as "{column}"' for column, type in {f"t__{name}": "varchar", **point}.items()]
                texts += [f'false as "{column}"' for column in stands]
                texts += [f'{str(rule.code == "required").lower()} as "{rule.mask}"' for rule in answered]
            if name in given:
                texts.append(f'"{standing.VALUE}{name}" as "{name}"')
            elif declared.type != "point":
                values.append(convert.value(f'"t__{name}"', declared) + f' as "{name}"')
        written = [f'"{column}"::varchar as "{leaves.WRITTEN}{column}"' for column in self._computed if column not in given]
        return f"select {', '.join(['*', *written])} from (select {', '.join(values)} from (select {', '.join(texts)} from"

    def _sql(self, view: str, given: set[str]) -> str:
        """Every value that is not the text of its cell, nor given, how the leaf writes it, what tells repetitions, and whether the row breaks a rule."""
        computed = [column for column in self._computed if column not in given]
        values = [f'"{name}"' for column in computed for name in (column, leaves.WRITTEN + column)]
        hashes = [f"{sql} as {name}" for name, sql in self._hashes.items()]
        asked = [rule for rule in self._rules if rule not in self.answered and not (rule.code == "type" and rule.field in given)]
        broken = " or ".join([masks.FAULTY, *(f"({rule.sql})" for rule in asked)])
        # as a case, DuckDB looks closer only at the rows that need it, and an unknown answer is no
        return f"select {', '.join([PLACE, 'line', *values, *hashes])}, case when {broken} then true else false end as {BROKEN} from {view}"

    def of(self, cells: Any) -> tuple[Any, Any]:
        """The values of the rows that break no rule, in the order of the file, and the positions of those that do."""
        odd = np.flatnonzero(cells[standing.OTHERWISE].to_numpy())
        found = self._valued(cells) if len(odd) > MOST_ODD * len(cells) else self._as_they_stand(cells, odd)
        broken = found[BROKEN].to_numpy()
        return kept(found, ~broken) if broken.any() else found, np.flatnonzero(broken)

    def _valued(self, cells: Any) -> Any:
        """Every row, its values made by DuckDB."""
        return self._with_texts(in_order(self.questions.ask(self._cast).to_arrow_table()), cells)

    def _as_they_stand(self, cells: Any, odd: Any) -> Any:
        """The same, where the values of all but a few rows are known from how they stand."""
        found = self._with_texts(in_order(self.questions.ask(self._given).to_arrow_table()), cells)
        for name in self._standing:
            found = found.append_column(name, cells[standing.VALUE + name]).append_column(leaves.WRITTEN + name, cells[f"t__{name}"])
        if not len(odd):
            return found
        with self.questions.only(cells, odd) as few:
            told = self._valued(few)
        sound = ~told[BROKEN].to_numpy()
        found = replaced(found, odd, told, [BROKEN])
        return replaced(found, odd[sound], kept(told, sound), found.column_names) if sound.any() else found

    def _with_texts(self, found: Any, cells: Any) -> Any:
        for name in self._texts:
            found = found.append_column(name, cells[f"t__{name}"])
        return found


def columns_of_point(name: str) -> list[str]:
    return [f"{name}_longitude", f"{name}_latitude", f"{name}_division"]
