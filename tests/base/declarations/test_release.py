"""What is in force comes from the database: a release, and edits that two people made."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import actions
from haitang.base.declarations.in_force import holding
from haitang.base.declarations.models import Admission, Edit, Release
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.release import Source, today
from haitang.base.errors import HaitangError
from haitang.hub.data.rules.kinds import Rule
from haitang.server.discovery import load_kinds

load_kinds()
pytestmark = pytest.mark.django_db

DEVICE = "title: 空气站\nobserves:\n  pm2_5: {title: 细颗粒物, unit: ug/m3, statistics: [hour mean]}\n"
RULE = "title: 超标\nwatches: air_station.pm2_5, hour mean\nwhen: value > 115\nfor: 2h\n"


def owners(rule: str = RULE) -> Sequence[Owner]:
    return [Owner("air", "application", Path("air"), {"devices/air_station.yaml": DEVICE, "rules/high.yaml": rule})]


@pytest.fixture(autouse=True)
def source() -> Iterator[Source]:
    found = Source(look_every=0)
    with holding(found):
        yield found


def admit(rule: str = RULE) -> Admission:
    with acting(system("operator")) as act:
        return actions.admit_release(act=act, owners=owners(rule))


def propose(value: object = "value > 100", key: str = "when", days: int = 0) -> Edit:
    with acting(system("operator")) as act:
        return actions.propose_edit(
            act=act, kind="rule", id="high", key=key, value=value, effective=today() + timedelta(days=days), reason="会商决定"
        )


def approve(edit: Edit, by: str = "setup") -> Edit:
    with acting(system(by)) as act:
        return actions.decide_edit(act=act, edit=edit, approve=True)


def test_a_release_loads_again_from_the_database(source: Source) -> None:
    admission = admit()
    assert source().get(Rule, "high").when == "value > 115"
    assert source().digest == admission.release_id
    assert admission.evidence


def test_the_same_content_is_not_admitted_twice() -> None:
    admit()
    with pytest.raises(HaitangError, match="already_in_force"):
        admit()


def test_a_release_with_errors_is_refused_whole() -> None:
    with pytest.raises(HaitangError, match="unknown_key"):
        admit(RULE + "nonsense: 1\n")
    assert not Release.objects.exists()


def test_the_latest_admission_holds_and_says_what_it_changed(source: Source) -> None:
    admit()
    source()
    later = admit(RULE.replace("115", "150"))
    assert source().get(Rule, "high").when == "value > 150"
    assert later.changes == ["修改 规则 high（超标）：when  value > 115 → value > 150"]


def test_an_approved_edit_holds_and_changes_the_digest(source: Source) -> None:
    admission = admit()
    approve(propose())
    assert source().get(Rule, "high").when == "value > 100"
    assert source().digest != admission.release_id


def test_a_proposed_edit_does_not_hold_yet(source: Source) -> None:
    admit()
    propose()
    assert source().get(Rule, "high").when == "value > 115"


def test_an_edit_holds_from_its_date(source: Source) -> None:
    now = clock.now()
    with clock.frozen(now):  # no midnight passes
        admit()
        approve(propose(days=1))
        assert source().get(Rule, "high").when == "value > 115"
    with clock.frozen(now + timedelta(days=1)):
        assert source().get(Rule, "high").when == "value > 100"


def test_nobody_approves_their_own_edit() -> None:
    admit()
    with pytest.raises(HaitangError, match="own_edit"):
        approve(propose(), by="operator")


@pytest.mark.parametrize(
    ("key", "value", "code"), [("title", "别的", "not_editable"), ("for", "soon", "edit_refused"), ("when", 5, "edit_refused")]
)
def test_an_edit_is_checked_like_a_file(key: str, value: object, code: str) -> None:
    admit()
    with pytest.raises(HaitangError, match=code):
        propose(value, key)


def test_a_withdrawn_edit_gives_the_value_below_it(source: Source) -> None:
    admit()
    edit = approve(propose())
    with acting(system("setup")) as act:
        actions.withdraw_edit(act=act, edit=edit)
    assert source().get(Rule, "high").when == "value > 115"


def test_an_edit_that_no_longer_fits_is_left_out(source: Source) -> None:
    admit()
    edit = approve(propose())
    Edit.objects.filter(pk=edit.pk).update(new=5)
    assert source().get(Rule, "high").when == "value > 115"


def test_the_source_looks_at_most_as_often_as_told(django_assert_num_queries: object) -> None:
    admit()
    source = Source(look_every=60)
    source()
    with django_assert_num_queries(0):  # type: ignore[operator]
        source()


def test_what_was_in_force_holds_while_the_database_is_away_and_the_first_look_says_no_more_than_that(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit()
    held = source()

    def away(_: object) -> None:
        raise OperationalError("the database is shutting down")

    monkeypatch.setattr("haitang.base.declarations.release.looks", [away])
    source.forget()
    assert source().digest == held.digest
    with pytest.raises(OperationalError) as told:
        Source()()
    assert told.value.__context__ is None
