"""Whatever a file contains, the loader answers with problems."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.base.declarations.kinds import all_kinds
from haitang.base.declarations.testing import load_texts
from haitang.server.discovery import load_kinds

load_kinds()

FILES = [
    "application.yaml",
    "rules/a.yaml",
    "devices/a.yaml",
    "procedures/a.yaml",
    "derive/a.sql",
    "pages/a.yaml",
    "locale/en.yaml",
    "tests/a.yaml",
]
PLACE_FILES = ["place.yaml", "organizations.yaml", "things.csv", "divisions.csv", "boundary.geojson", "calendar.yaml", "overrides.yaml"]
INDICATORS = st.text(alphabet="ab:-[]{}&*!|>'\"%@`,#?\n\t 019.~<=\\/é中", max_size=60)

WORDS = sorted({info.alias or name for kind in all_kinds().values() for name, info in kind.model.model_fields.items()})
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["rule a", "a", "2h"]))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*WORDS, "x", "0"]), inner, max_size=4)),
    max_leaves=12,
)


def load_both(file: str, text: str) -> None:
    application = {file: text} if file in FILES else {}
    loaded = load_texts({"rules/b.yaml": "title: b", **application}, place={} if file in FILES else {file: text})
    assert all(problem.file is not None and problem.line > 0 and problem.sentence() for problem in loaded.problems)


@given(st.sampled_from(FILES + PLACE_FILES), INDICATORS)
@settings(max_examples=300, deadline=None)
def test_random_text_never_crashes(file: str, text: str) -> None:
    load_both(file, text)


@given(st.sampled_from(FILES + PLACE_FILES), TREES)
@settings(max_examples=200, deadline=None)
def test_random_trees_never_crash(file: str, tree: object) -> None:
    load_both(file, json.dumps(tree, ensure_ascii=False))


def test_deep_nesting_never_crashes() -> None:
    load_both("rules/a.yaml", "[" * 3000)
    load_both("rules/a.yaml", "- " * 500 + "a")
    load_both("boundary.geojson", "[" * 100000)


def test_what_no_store_keeps_is_refused() -> None:
    for text in ('title: "\\ud800"\n', 'title: "a\\0b"\n'):
        assert "declarations.yaml_syntax" in {problem.code for problem in load_texts({"rules/a.yaml": text}).errors}


def test_an_alias_that_holds_itself_is_refused() -> None:
    loaded = load_texts({"rules/a.yaml": "title: &a [*a]\n"})
    assert "declarations.yaml_alias" in {problem.code for problem in loaded.errors}
