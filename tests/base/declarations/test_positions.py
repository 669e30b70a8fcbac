"""What a text says is composed once, and given as something new each time."""

from pathlib import Path

import pytest

from haitang.base.declarations import positions
from haitang.base.declarations.positions import read_yaml

FILE = Path("a.yaml")


def test_a_text_is_composed_once_and_nobody_changes_what_the_next_one_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "title: 一个没有别人读过的文本\nitems: [1, {b: 2}]\n"
    first = read_yaml(text, FILE)
    first.data["items"].append(3)
    monkeypatch.setattr(positions, "YAML", None)
    again = read_yaml(text, Path("b.yaml"), first_line=5)
    assert again.data == {"title": "一个没有别人读过的文本", "items": [1, {"b": 2}]}
    assert again.at(("items",)) == positions.Position(Path("b.yaml"), 6, 1)


def test_a_text_that_is_no_yaml_is_told_each_time() -> None:
    told = [str(read_yaml("a: [1\n", FILE).problems[0]) for _ in range(2)]
    assert told[0] == told[1]
    assert "a.yaml" in told[0]
