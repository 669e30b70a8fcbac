"""One box that finds cases, devices, indicators, pages and people's own way to them."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from haitang.base.actions import may
from haitang.base.declarations import in_force
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.hub.business.cases.filters import Filters, filtered
from haitang.hub.business.cases.listing import readable
from haitang.hub.business.pages.kinds import Page
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.rules.kinds import Rule
from haitang.support.infrastructure.things.models import Thing

MOST = 20
DECLARED: tuple[tuple[str, Any, str, str], ...] = (
    (T("指标"), Indicator, "/indicators/{id}", "indicator.read"),
    (T("页面"), Page, "/pages/{id}", "data.read"),
    (T("规则"), Rule, "/alarms?rule={id}", "alarm.read"),
)


@require_GET
@page(anyone="finds only what the reader may read")
def search(request: HttpRequest) -> HttpResponse:
    """`?q=`: at least one character."""
    text = request.GET.get("q", "").strip()[:80].replace("\x00", "")
    found: list[tuple[str, list[tuple[str, str, str]]]] = []
    if text:
        actor = reader(request)
        cases = filtered(readable(actor), Filters(text=text), actor).order_by("-opened_at")[:MOST]
        found.append((T("案件"), [(c.title, f"/cases/{c.number}", c.number) for c in cases]))
        if may(actor, "thing.read"):
            things = Thing.objects.filter(Q(title__icontains=text) | Q(pk__icontains=text) | Q(mn__icontains=text))[:MOST]
            found.append((T("设备"), [(t.title, f"/things/{t.pk}", t.pk) for t in things]))
        found += [(title, _declared(model, text, link)) for title, model, link, read in DECLARED if may(actor, read)]
    groups = [(title, rows) for title, rows in found if rows]
    return show(request, "management/search.html", {"search_text": text, "groups": groups})


def _declared(model: Any, text: str, link: str) -> list[tuple[str, str, str]]:
    low = text.lower()
    return [
        (each.title, link.format(id=id), id)
        for id, each in in_force().all(model).items()
        if low in each.title.lower() or low in id or low in translate(each.title, "en").lower()
    ]
