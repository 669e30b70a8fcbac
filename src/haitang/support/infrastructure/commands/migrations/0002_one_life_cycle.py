"""One table and one life cycle for commands of every protocol: what was `delivered` is `acknowledged`."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def renamed(apps: Any, schema: Any) -> None:
    commands = apps.get_model("commands", "DeviceCommand").objects
    commands.filter(state="delivered").update(state="acknowledged")
    commands.exclude(acknowledged_at=None).update(sent_at=F("acknowledged_at"))


class Migration(migrations.Migration):
    dependencies = [("commands", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="devicecommand", name="command_state"),
        migrations.RemoveIndex(model_name="devicecommand", name="command_waiting"),
        migrations.AlterModelOptions(name="devicecommand", options={"ordering": ["-issued_at", "-id"]}),
        migrations.RenameField(model_name="devicecommand", old_name="delivered_at", new_name="acknowledged_at"),
        migrations.AddField(model_name="devicecommand", name="protocol", field=models.CharField(default="mqtt", max_length=16), preserve_default=False),
        migrations.AddField(model_name="devicecommand", name="reason", field=models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField(model_name="devicecommand", name="reference", field=models.CharField(blank=True, default="", max_length=64)),
        migrations.AddField(model_name="devicecommand", name="tries", field=models.SmallIntegerField(default=0)),
        migrations.AddField(model_name="devicecommand", name="packets", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="devicecommand", name="confirms", field=models.BooleanField(default=True)),
        migrations.AddField(model_name="devicecommand", name="sent_at", field=models.DateTimeField(blank=True, null=True)),
        migrations.RunPython(renamed, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="devicecommand",
            constraint=models.CheckConstraint(
                condition=models.Q(state__in=["queued", "sent", "acknowledged", "done", "failed", "expired", "withdrawn"]), name="command_state"
            ),
        ),
        migrations.AddIndex(
            model_name="devicecommand",
            index=models.Index(condition=models.Q(state__in=["queued", "sent", "acknowledged"]), fields=["thing"], name="command_open_of"),
        ),
        migrations.AddIndex(model_name="devicecommand", index=models.Index(fields=["thing", "-issued_at"], name="command_of_thing")),
    ]  # fmt: skip
