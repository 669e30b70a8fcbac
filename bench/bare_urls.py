"""The views of the bare Django of `floor_cases`."""

import json
import os
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path

from haitang.base.ids import new_id

kept: dict[str, dict[str, Any]] = {}
models: dict[str, Any] = {}
# What the product writes in each step.
STEPS = {
    "open": ("case", "run", "event", "evidence", "evidence", "evidence", "notice", "delivery"),
    "dispatch": ("event", "evidence", "evidence", "evidence", "notice", "delivery"),
    "handle": ("event", "evidence", "evidence"),
}


def _put(name: str, **own: Any) -> Any:
    row = models[name](**{**{key: value for key, value in kept[name].items() if key != "id"}, **own})
    row.save(force_insert=True)
    return row


def _write(step: str, run: UUID, number: int) -> None:
    notice = None
    for name in STEPS[step]:
        if name == "event":
            _put("event", run_id=run, number=number)
        elif name == "evidence":
            _put("evidence", ref=new_id(), salt=os.urandom(16), seal_id=None, leaf_index=None)
        elif name == "notice":
            notice = _put("notice", id=new_id(), batch=new_id())
        elif name == "delivery":
            _put("delivery", notice_id=notice.pk)


def open_case(request: HttpRequest) -> JsonResponse:
    told = json.loads(request.body)
    with transaction.atomic():
        run, case = new_id(), new_id()
        _put("case", id=case, number=case.hex[8:], title=told["title"], run_id=None, matter_key="")
        _put("run", id=run, subject_id=str(case))
        _write("open", run, 1)
        models["case"].objects.filter(pk=case).update(run_id=run)
    return JsonResponse({"number": case.hex[8:]})


def move(request: HttpRequest, number: str) -> JsonResponse:
    told = json.loads(request.body)
    with transaction.atomic():
        case = models["case"].objects.get(number=number)
        run = models["run"].objects.select_for_update().get(pk=case.run_id)
        _write(told["move"], run.pk, 2 if told["move"] == "dispatch" else 3)
        run.stage = case.stage = told["move"]
        run.save()
        case.save()
    return JsonResponse({"number": number})


urlpatterns = [path("api/cases", open_case), path("api/cases/<str:number>/moves", move)]
