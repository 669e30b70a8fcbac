"""Nothing is shown in Chinese alone."""

from pathlib import Path

import pytest

import haitang
from haitang.base.missing import missing_texts, texts_of_python, texts_of_template
from haitang.base.text import read_catalogue

CATALOGUES = sorted(Path(haitang.__file__).parent.rglob("locale/en.yaml"))


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parts[-3])
def test_every_catalogue_can_be_read(file: Path) -> None:
    """One that cannot would silently leave a whole room in Chinese."""
    assert read_catalogue(file.read_text("utf-8"))


def test_every_text_has_english() -> None:
    assert missing_texts() == {}


def test_texts_are_found_in_templates() -> None:
    source = '{% t "一" %}\n{% t \'二 {n}\' n=3 %}{{ "三"|t }}{% t variable %}'
    assert list(texts_of_template(source)) == [(1, "一"), (2, "二 {n}"), (2, "三")]


def test_texts_are_found_in_python() -> None:
    source = 'T("一")\nBAD = error("a.b", 400, "二")\n@action("x", title="三")\ndef f(): ...\nlog("四")\n'
    assert list(texts_of_python(source)) == [(1, "一"), (2, "二"), (3, "三")]
