"""One catalogue for templates, declarations and errors."""

from collections.abc import Iterator

import pytest
from django.template import Context, Template
from django.utils.translation import override

from haitang.base import text
from haitang.base.text import translate


@pytest.fixture(autouse=True)
def catalogue() -> Iterator[None]:
    text.put_catalogue({"海棠树": "Crab-apple tree", "共 {n} 棵": "{n} trees", "<b>": "<i>"})
    yield
    text.put_catalogue({})


def render(source: str, **values: object) -> str:
    return Template("{% load haitang %}" + source).render(Context(values))


def test_the_reader_of_chinese_reads_the_source() -> None:
    with override("zh-hans"):
        assert render('{% t "海棠树" %}') == "海棠树"


def test_the_reader_of_english_reads_the_catalogue() -> None:
    with override("en"):
        assert render('{% t "海棠树" %}, {{ word|t }}', word="海棠树") == "Crab-apple tree, Crab-apple tree"


def test_variables_are_filled_after_the_text_is_chosen() -> None:
    with override("en"):
        assert render('{% t "共 {n} 棵" n=3 %}') == "3 trees"


def test_a_missing_text_stays_chinese() -> None:
    assert translate("没有译文的话", "en") == "没有译文的话"


def test_a_translation_is_escaped() -> None:
    assert render("{% t word %}", word="<b>") == "&lt;b&gt;"


@pytest.mark.parametrize("odd", ["{", "{}", "{a.b}", "{0}", "}", "{a!z}"])
def test_odd_braces_never_break_a_page(odd: str) -> None:
    assert isinstance(translate(odd, n=1), str)
