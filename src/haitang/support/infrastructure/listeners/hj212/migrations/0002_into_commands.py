"""Commands to stations move to the table of all commands; their evidence names them by the same ids."""

import json
from typing import Any

from django.db import migrations

NOT_CONNECTED = "监测站一直没有连接"  # how the end of a command that nobody took was worded
STATES = {"executing": "acknowledged", "refused": "failed", "timed_out": "failed"}


def moved(apps: Any, schema: Any) -> None:
    target = apps.get_model("commands", "DeviceCommand")
    found = apps.get_model("hj212", "StationCommand").objects.order_by("pk").iterator(2000)
    batch = []
    for each in found:
        batch.append(target(**_as_command(each)))
        if len(batch) == 2000:
            target.objects.bulk_create(batch)
            batch = []
    target.objects.bulk_create(batch)


def _as_command(each: Any) -> dict[str, Any]:
    expired = each.state == "timed_out" and each.reason == NOT_CONNECTED
    state = "expired" if expired else STATES.get(each.state, each.state)
    over = state not in ("queued", "sent", "acknowledged")
    return {
        "id": each.pk, "thing_id": each.thing_id, "protocol": "hj212", "name": each.cn, "parameters": each.values, "state": state,
        "reason": "" if expired else each.reason, "answer": json.dumps(each.told, ensure_ascii=False) if each.told else "",
        "reference": each.qn, "tries": each.tries, "packets": each.packets, "issued_at": each.asked_at, "issued_by": each.asked_by,
        "expires_at": each.expires_at, "sent_at": each.changed_at if each.tries else None, "ended_at": each.changed_at if over else None,
    }  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("hj212", "0001_initial"), ("commands", "0002_one_life_cycle")]

    operations = [
        migrations.RunPython(moved, migrations.RunPython.noop),
        migrations.DeleteModel(name="StationCommand"),
    ]
