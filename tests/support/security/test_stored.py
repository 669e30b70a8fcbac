"""Stored secrets: sealed under the instance's key, bound to what they belong to."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haitang.base.errors import HaitangError
from haitang.base.settings import settings, use
from haitang.support.security.cryptography.stored import open_text, seal_text


@pytest.fixture(autouse=True)
def instance(tmp_path: Path) -> Iterator[None]:
    before = settings()
    use(replace(before, data=tmp_path))
    yield
    use(before)


def test_a_secret_comes_back_and_shows_nothing() -> None:
    sealed = seal_text("s3cret 口令", "source permits")
    assert "s3cret" not in sealed
    assert sealed != seal_text("s3cret 口令", "source permits")
    assert open_text(sealed, "source permits") == "s3cret 口令"


@pytest.mark.parametrize("change", [lambda text: text[:-4] + "AAA=", lambda text: "aesgcm1:!!", lambda text: ""])
def test_another_owner_or_a_changed_text_is_refused(change: Callable[[str], str]) -> None:
    sealed = seal_text("s3cret", "source permits")
    with pytest.raises(HaitangError, match="secret_not_opened"):
        open_text(sealed, "source other")
    with pytest.raises(HaitangError, match="secret_not_opened"):
        open_text(change(sealed), "source permits")
