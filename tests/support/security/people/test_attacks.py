"""What an attacker tries, and what comes of it. Each of these once went through."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pyotp
import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.people.actions import create_person, set_password
from haitang.support.security.people.factors import codes
from haitang.support.security.people.factors.models import Authenticator
from haitang.support.security.people.handing_over.actions import change_own, change_person, delegate, leave
from haitang.support.security.people.joining.actions import invite
from haitang.support.security.people.models import Human, Organization, Person
from haitang.support.security.people.single_sign_on import outside
from haitang.support.security.tokens.actions import create_own_token
from haitang.support.security.tokens.queries import in_use
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db
PASSWORD = "river-stone-42"
HASHED = make_password(PASSWORD)


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_taken_over_session_does_not_guess_the_password_at_its_change() -> None:
    client = signed_in(made("wang", password=HASHED))
    typed = {"new": "other-stone-42", "again": "other-stone-42"}
    tried = [client.post("/password", {**typed, "current": f"guess-{n}"}).status_code for n in range(6)]
    assert (tried[0], tried[-1]) == (403, 429)
    assert client.post("/password", {**typed, "current": PASSWORD}).status_code == 429


@pytest.mark.parametrize("by", ["administrator", "themselves"])
def test_an_invitation_that_was_sent_before_does_not_undo_a_new_password(by: str) -> None:
    li, admin = made("li", password=HASHED), made("admin", "administrator")
    with acting(proved(admin)) as act:
        link = f"/invitation/{invite(act=act, person=li)}"
        if by == "administrator":
            set_password(act=act, person=li)
    if by == "themselves":
        signed_in(li).post("/password", {"current": PASSWORD, "new": "other-stone-42", "again": "other-stone-42"})
    assert Client().post(link, {"new": "my-own-stone-9", "again": "my-own-stone-9"}).status_code == 404


def test_nobody_who_signed_in_is_invited_again() -> None:
    li = made("li", last_login=clock.now())
    with pytest.raises(HaitangError, match="joined_already"), acting(proved(made("admin", "administrator"))) as act:
        invite(act=act, person=li)


@pytest.mark.parametrize("username", ["аdmin", "admin ", "Admin", "ad\u200bmin", "a", "x" * 65, "admin\n"])
def test_no_account_looks_like_another(username: str) -> None:
    made("admin")
    with pytest.raises(HaitangError, match=r"people.(bad_person|username_taken)"), acting(system("operator")) as act:
        create_person(act=act, username=username, name="某人")


def test_no_name_hides_or_turns_text() -> None:
    with pytest.raises(HaitangError, match="bad_person"), acting(system("operator")) as act:
        create_person(act=act, username="someone", name="系统\u202e管理员")


@pytest.mark.parametrize("typed", ["é12345", "１２３４５６７", "１２ ３４ ５６"])
def test_odd_digits_are_a_wrong_code_and_no_fault(typed: str) -> None:
    secret, sealed = codes.new_secret()
    wang = made("wang", password=HASHED)
    Authenticator.objects.create(person=wang, secret=sealed, created_at=clock.now())
    with patch.object(codes, "_uses", return_value=False):
        assert codes.use(wang, typed, clock.now()) == ""
    assert codes.step_of(secret, typed, clock.now(), 0) is None


def test_the_full_width_digits_of_an_input_method_are_the_code() -> None:
    secret, sealed = codes.new_secret()
    wang = made("wang")
    Authenticator.objects.create(person=wang, secret=sealed, created_at=clock.now(), confirmed_at=clock.now())
    typed = "".join(chr(ord(digit) + 0xFEE0) for digit in pyotp.TOTP(secret).at(clock.now()))
    assert codes.use(wang, typed, clock.now()) == "totp"


def test_a_state_of_other_letters_is_refused_and_no_fault() -> None:
    client = Client()
    client.get("/sign-in")
    session = client.session
    session[outside.FLOW] = {"state": "abc", "nonce": "n", "verifier": "v", "next": "/"}
    session.save()
    client.cookies["sessionid"] = session.session_key
    assert client.get("/sign-in/outside/done?state=é&code=1").status_code == 401


def token_of(who: Person) -> Any:
    with acting(proved(who)) as act:
        return create_own_token(act=act, person=who, title="t", scopes=["alarm.read"], expires_at=act.at + timedelta(days=300))[0]


@pytest.mark.parametrize("how", ["reset", "leave"])
def test_no_token_outlives_a_reset_or_a_leave(how: str) -> None:
    wang = made("wang", "verifier")
    token = token_of(wang)
    with acting(proved(made("admin", "administrator"))) as act:
        set_password(act=act, person=wang) if how == "reset" else leave(act=act, person=wang)
    Person.objects.update(must_change_password=False, is_active=True)
    token.refresh_from_db()
    assert not in_use(token)


def test_a_session_of_long_ago_makes_no_token() -> None:
    answer = signed_in(made("wang", "verifier")).post("/tokens", {"title": "t", "scopes": ["alarm.read"], "days": "365"})
    assert (answer.status_code, "kept" in (answer.context or {})) == (403, True)


@pytest.mark.parametrize("who", ["security_administrator", "dispatcher"])
def test_nobody_slips_the_tie_between_two_accounts_of_theirs(who: str) -> None:
    me = made("me", who, mobile="13900000001")
    made("me-too", mobile="13900000001")
    with pytest.raises(HaitangError, match="ties_accounts"), acting(proved(me)) as act:
        change_own(act=act, person=me, email="", mobile="13900000002")


def test_an_administrator_does_not_untie_an_account_of_theirs_but_another_does() -> None:
    admin, second = made("admin", "administrator", mobile="13900000001"), made("second", mobile="13900000001")
    new: dict[str, str] = {"name": "second", "email": "", "mobile": "13900000002"}
    with pytest.raises(HaitangError, match="ties_accounts"), acting(proved(admin)) as act:
        change_person(act=act, person=second, **new)
    with acting(proved(made("other", "administrator"))) as act:
        change_person(act=act, person=second, **new)
    assert second.mobile == "13900000002"


def test_accounts_known_by_more_than_a_number_may_change_it() -> None:
    human = Human.objects.create()
    me = made("me", mobile="13900000001", human=human)
    made("me-too", mobile="13900000001", human=human)
    with acting(proved(me)) as act:
        change_own(act=act, person=me, email="", mobile="13900000002")
    assert me.mobile == "13900000002"


def test_own_duties_go_to_no_other_organization() -> None:
    water, fire = (Organization.objects.create(id=each, title=each) for each in ("water", "fire"))
    giver, taker = made("giver", "dispatcher", organization=water), made("taker", organization=fire)
    with pytest.raises(HaitangError, match="taker_elsewhere"), acting(proved(giver)) as act:
        delegate(act=act, giver=giver, taker=taker, starts=act.at, ends=act.at + timedelta(days=1))
