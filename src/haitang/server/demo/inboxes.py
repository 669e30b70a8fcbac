"""The inboxes of the demonstration: what is old has been seen, and everybody finds something new."""

from datetime import timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery

from haitang.base import ports
from haitang.base.actions import acting
from haitang.hub.business.notifications.actions import see
from haitang.hub.business.notifications.models import Notice
from haitang.server.demo.people import DEMO, cast

OLD, READING = timedelta(hours=30), timedelta(minutes=7)
WELCOME = {
    "auditor": ("待核验：演示案件的证据", "每一步办理都写入证据账本并封存。可以查看记录，下载凭据离线核验。（示例）", "/evidence"),
    "administrator": ("待处理：设备登记情况", "三个示例站正在回放历史数据，另两个示例站没有接入。（示例）", "/things"),
    "security_administrator": (
        "待复核：演示人员的角色",
        "演示人员和角色由演示程序设置。可以查看各角色能做什么、为什么互斥。（示例）",
        "/people/roles",
    ),
    "audit_administrator": ("待审查：近期操作记录", "三员的操作同样写入证据账本。可以按操作和对象查看并下载凭据。（示例）", "/evidence"),
}


def fill_inboxes() -> None:
    """Old notices of the made-up people are seen; those whom no case concerns are told something too. Safe to repeat."""
    people = cast()
    by_id = {actor.id: actor for actor in people.values()}
    for notice in _old():
        if actor := by_id.get(str(notice.person_id)):
            with acting(actor, at=notice.created_at + READING) as act:
                see(act=act, notice=notice)
    for role, (title, text, link) in WELCOME.items():
        if role in people and not Notice.objects.filter(person_id=people[role].id).exists():
            with acting(DEMO) as act:
                ports.notices().tell(act=act, people=[people[role].id], title=title, text=text, link=link, subject=f"demo:{role}")


def _old() -> QuerySet[Notice]:
    """Unseen notices that came long before the newest of the same person: after a weekend or a holiday the newest is days old itself."""
    newest = Notice.objects.filter(person=OuterRef("person")).order_by("-created_at").values("created_at")[:1]
    return (
        Notice.objects.filter(person__synthetic=True, seen_at=None)
        .annotate(newest=Subquery(newest))
        .filter(created_at__lt=F("newest") - OLD)
    )
