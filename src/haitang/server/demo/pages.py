"""The strip that says how far the demonstration's data are."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from haitang.base.settings import settings
from haitang.base.shell.context import provides
from haitang.base.shell.views import show
from haitang.base.text import T, translate
from haitang.server.demo import state

WORDS = {
    "people": T("正在准备示例人员"),
    "hours": T("正在回放 90 天的监测数据"),
    "reading": T("正在入库和判断报警"),
    "cases": T("正在生成示例案件"),
    "trends": T("正在计算指标"),
    "done": T("演示数据已装好"),
}


def progress() -> dict[str, Any] | None:
    """`percent` and `text` while data are brought in; None when that is over or this is no demonstration."""
    if not settings().demo:
        return None
    found = state.read(settings().data)
    if not found or found["percent"] >= 100:
        return None
    return {"percent": found["percent"], "text": translate(WORDS.get(found["doing"], WORDS["people"]))}


provides("demo_progress", lambda request: progress())


@require_GET
def strip(request: HttpRequest) -> HttpResponse:
    """The strip as it is now; when all is there, it says so and asks no more."""
    return show(request, "shell/parts/demo_progress.html", {"demo_progress": progress(), "demo_asked": True})


urlpatterns = [path("demo/progress", strip)]
