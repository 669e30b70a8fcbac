"""People are told once the transaction commits, on real channels, with receipts."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client

from haitang.base import clock, ports
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.settings import settings, use
from haitang.hub.business.notifications.delivery import attempt, pick_up
from haitang.hub.business.notifications.models import Delivery, Notice
from haitang.hub.business.notifications.queries import count_unseen, unseen
from haitang.support.infrastructure.outside.dingtalk import DingTalkRobot, sign
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.actions import create_person
from haitang.support.security.people.models import Person
from haitang.support.security.people.queries import actor_of
from tests.hub.business.notifications.robot import SECRET, Robot
from tests.ports import free_port

pytestmark = pytest.mark.django_db
PASSWORD = "river-stone-42"


class Mailbox:
    """Keeps the mail; `refuse` makes it answer with that reply."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuse = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return f"250 2.0.0 Ok: queued as {len(self.mails)}"


@pytest.fixture
def robot() -> Iterator[Robot]:
    with Robot() as running:
        yield running


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    handler = Mailbox()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    port = controller.port
    handler.url = f"smtp://127.0.0.1:{port}"  # type: ignore[attr-defined]
    yield handler
    controller.stop()


@pytest.fixture
def _channels(robot: Robot, mailbox: Any) -> Iterator[None]:
    before = settings()
    use(
        replace(
            before,
            mail_url=mailbox.url,
            mail_from="haitang@example.org",
            dingtalk_webhook=robot.url,
            dingtalk_secret=SECRET,
            public_url="https://hub.example.org",
        )
    )
    yield
    use(before)


@pytest.fixture
def people() -> list[Person]:
    with acting(system("setup")) as act:
        made = [
            create_person(act=act, username="wangli", name="王丽", email="wangli@example.org", mobile="13800000001", password=PASSWORD),
            create_person(act=act, username="zhaoliu", name="赵六", mobile="13800000002", password=PASSWORD),
        ]
    Person.objects.update(must_change_password=False)
    return made


def tell(people: list[Person], title: str = "案件待处置") -> None:
    with acting(system("deadlines")) as act:
        ports.notices().tell(
            act=act,
            people=[str(p.pk) for p in people],
            title=title,
            text="请在两小时内处置",
            link="/cases/7",
            subject="case:7",
            urgency="due_soon",
        )


def work() -> None:
    """What the worker does with the jobs that are due."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "delete from procrastinate_jobs where task_name = 'notifications.deliver' and (scheduled_at is null or scheduled_at <= %s) returning args",
            [clock.now()],
        )
        jobs = [row[0] for row in cursor.fetchall()]
    for args in jobs:
        attempt((json.loads(args) if isinstance(args, str) else args)["delivery"])


def jobs() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select count(*) from procrastinate_jobs where task_name = 'notifications.deliver'")
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("_channels")
def test_one_message_to_the_group_and_a_mail_to_each(people: list[Person], robot: Robot, mailbox: Mailbox) -> None:
    tell(people)
    assert jobs() == 2
    work()
    (to, mail), (message,) = mailbox.mails[0], robot.messages
    assert to == ["wangli@example.org"]
    assert mail["Subject"] == "案件待处置"
    own = Notice.objects.get(person=people[0])
    assert f"https://hub.example.org/notices/{own.pk}/open" in mail.get_content()
    assert message["at"]["atMobiles"] == ["13800000001", "13800000002"]
    assert "@13800000002" in message["markdown"]["text"]
    kept = {(d.notice.person.username, d.channel): (d.status, d.receipt) for d in Delivery.objects.select_related("notice__person")}
    assert kept["wangli", "mail"] == ("sent", "250 2.0.0 Ok: queued as 1")
    assert kept["zhaoliu", "dingtalk"] == ("sent", "errcode 0 ok")
    assert ("zhaoliu", "mail") not in kept
    assert kept["zhaoliu", "inbox"][0] == "sent"


def test_nothing_is_told_when_the_transaction_fails(people: list[Person]) -> None:
    def fails() -> None:
        with acting(system("deadlines")) as act:
            ports.notices().tell(act=act, people=[str(people[0].pk)], title="x", text="", link="/", subject="case:7")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not Notice.objects.exists()
    assert jobs() == 0


@pytest.mark.usefixtures("_channels")
def test_a_wrong_signature_is_refused_for_good(people: list[Person], robot: Robot) -> None:
    use(replace(settings(), dingtalk_secret="SECwrong", mail_url=""))
    tell(people[1:])
    work()
    delivery = Delivery.objects.get(channel="dingtalk")
    assert (delivery.status, delivery.attempts) == ("refused", 1)
    assert "310000 sign not match" in delivery.error
    assert jobs() == 0


@pytest.mark.usefixtures("_channels")
def test_a_busy_far_end_is_tried_again_until_it_takes_it(people: list[Person], robot: Robot) -> None:
    robot.answers = [(503, {}), (200, {"errcode": -1, "errmsg": "system busy"})]
    tell(people[1:])
    at = clock.now()
    for wait in (0, 31, 92):
        with clock.frozen(at + timedelta(seconds=wait)):
            work()
    delivery = Delivery.objects.get(channel="dingtalk")
    assert (delivery.status, delivery.attempts, delivery.error) == ("sent", 3, "")


@pytest.mark.usefixtures("_channels")
def test_after_six_attempts_it_has_failed_and_says_so(people: list[Person], robot: Robot) -> None:
    robot.answers = [(500, {})] * 9
    tell(people[1:])
    at = clock.now()
    for turn in range(8):
        with clock.frozen(at + timedelta(minutes=8 * turn)):
            work()
    delivery = Delivery.objects.get(channel="dingtalk")
    assert (delivery.status, delivery.attempts) == ("failed", 6)
    assert "HTTP 500" in delivery.error
    assert "t0ken" not in delivery.error


@pytest.mark.usefixtures("_channels")
def test_the_robot_speaks_at_most_twenty_times_a_minute(people: list[Person], robot: Robot) -> None:
    at = clock.now()
    with clock.frozen(at):
        for n in range(23):
            tell(people[1:], f"第 {n} 件")
        work()
    assert len(robot.messages) == 20
    with clock.frozen(at + timedelta(seconds=61)):
        work()
    assert len(robot.messages) == 23
    assert set(Delivery.objects.filter(channel="dingtalk").values_list("status", "attempts")) == {("sent", 1)}


@pytest.mark.usefixtures("_channels")
def test_throttled_waits_ten_minutes_and_counts_no_attempt(people: list[Person], robot: Robot) -> None:
    robot.answers = [(200, {"errcode": 130101, "errmsg": "send too fast"})]
    tell(people[1:])
    at = clock.now()
    work()
    assert Delivery.objects.get(channel="dingtalk").attempts == 0
    with clock.frozen(at + timedelta(minutes=11)):
        work()
    assert Delivery.objects.get(channel="dingtalk").status == "sent"


@pytest.mark.usefixtures("_channels")
def test_mail_is_refused_for_good_or_for_now(people: list[Person], mailbox: Mailbox) -> None:
    mailbox.refuse = "451 4.3.0 try later"
    tell(people[:1])
    work()
    delivery = Delivery.objects.get(channel="mail")
    assert (delivery.status, delivery.attempts) == ("queued", 1)
    mailbox.refuse = "554 5.7.1 no"
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        work()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("refused", 2)
    assert "554 5.7.1 no" in delivery.error


@pytest.mark.usefixtures("_channels")
def test_a_delivery_whose_worker_died_is_picked_up(people: list[Person], robot: Robot) -> None:
    tell(people[1:])
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs")
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        assert pick_up() == 1
        work()
    assert len(robot.messages) == 1


def test_who_has_not_seen_it_is_known(people: list[Person]) -> None:
    tell(people)
    assert [n.person.name for n in unseen("case:7")] == ["王丽", "赵六"]
    client = Client()
    client.force_login(people[0])
    listed = client.get("/api/notices").json()
    assert listed["unseen"] == 1
    seen = client.post(f"/api/notices/{listed['notices'][0]['id']}/seen")
    assert seen.json()["seen_at"]
    assert [n.person.name for n in unseen("case:7")] == ["赵六"]
    other = client.post(f"/api/notices/{Notice.objects.get(person=people[1]).pk}/seen")
    assert other.status_code == 404
    assert count_unseen(actor_of(people[1])) == 1
    assert EvidenceRecord.objects.filter(action="notices.seen").count() == 1


def test_the_link_in_a_message_marks_it_seen_and_leads_on(people: list[Person]) -> None:
    tell(people)
    first, second = (Notice.objects.get(person=p) for p in people)
    for person, address in ((people[0], f"/notices/{first.pk}/open"), (people[1], f"/notices/batch/{second.batch}/open")):
        client = Client()
        assert client.get(address).headers["Location"].startswith("/sign-in")
        client.force_login(person)
        assert client.get(address).headers["Location"] == "/cases/7"
    assert not unseen("case:7").exists()


@pytest.mark.usefixtures("_channels")
def test_a_person_chooses_channels(people: list[Person]) -> None:
    client = Client()
    client.force_login(people[0])
    assert client.get("/api/notices/channels").json() == {"channels": ["mail", "dingtalk"], "language": "zh-hans"}
    assert client.put("/api/notices/channels", json.dumps({"channels": ["fax"]}), content_type="application/json").status_code == 400
    client.put("/api/notices/channels", json.dumps({"channels": ["mail"]}), content_type="application/json")
    tell(people[:1])
    assert set(Delivery.objects.values_list("channel", flat=True)) == {"inbox", "mail"}


@pytest.fixture
def _in_force() -> Iterator[None]:
    put_in_force(Declarations("r1", {}))
    yield
    put_in_force(Declarations("", {}))


@pytest.mark.usefixtures("_channels", "_in_force")
def test_a_page_in_the_menu_takes_the_choice(people: list[Person]) -> None:
    client = Client()
    client.force_login(people[0])
    assert 'href="/inbox/channels"' in client.get("/inbox").content.decode()
    assert client.post("/inbox/channels", {"channels": ["fax"]}).status_code == 400
    assert client.post("/inbox/channels", {"channels": ["mail"], "language": "en"}).status_code == 302
    assert client.get("/api/notices/channels").json() == {"channels": ["mail"], "language": "en"}
    shown = client.get("/inbox/channels").content.decode()
    assert 'value="mail" checked' in shown
    assert 'value="dingtalk" checked' not in shown
    assert '<option value="en" selected>' in shown


@pytest.mark.usefixtures("_channels")
def test_each_reads_it_in_their_own_language(people: list[Person], robot: Robot, mailbox: Mailbox) -> None:
    client = Client()
    client.force_login(people[0])
    chosen = json.dumps({"channels": ["mail", "dingtalk"], "language": "en"})
    assert client.put("/api/notices/channels", chosen, content_type="application/json").json()["language"] == "en"
    assert client.put("/api/notices/channels", chosen.replace("en", "xx"), content_type="application/json").status_code == 400
    told = {"title": "一号站", "number": "7", "stage": "待处置", "due": "2026-11-23 15:00"}
    with acting(system("deadlines")) as act:
        ports.notices().tell(
            act=act, people=[str(person.pk) for person in people], title="超期督办：{title}（{number}）",
            text="“{stage}”环节已于 {due} 到期，仍未办理，请督促。", link="/cases/7", subject="case:7", urgency="overdue", data=told,
        )  # fmt: skip
    work()
    ((_, mail),) = mailbox.mails
    assert mail["Subject"] == "Overdue: 一号站 (7)"
    assert 'The stage "To be handled" was due at 2026-11-23 15:00' in mail.get_content()
    assert robot.messages[0]["markdown"]["title"] == "超期督办：一号站（7）"  # one message to a group that reads two languages
    notice = client.get("/api/notices", headers={"accept-language": "en"}).json()["notices"][0]
    assert notice["title"] == "Overdue: 一号站 (7)"
    assert client.get("/api/notices", headers={"accept-language": "zh-hans"}).json()["notices"][0]["title"] == "超期督办：一号站（7）"


def test_the_signature_is_the_published_vector() -> None:
    file = Path(__file__).parents[4].parent / "shared/standards/samples/dingtalk/robot-sign-vector.json"
    if not file.exists():
        pytest.skip("the shared standards folder is not here")
    vector = json.loads(file.read_text("utf-8"))
    assert sign(vector["secret"], vector["timestamp"]) == vector["sign_base64"]


def test_without_a_secret_no_signature_is_sent() -> None:
    with Robot() as robot, pytest.raises(Exception, match="310000"):
        DingTalkRobot(robot.url).send(to="", title="x", text="y", link="https://z.example/")
