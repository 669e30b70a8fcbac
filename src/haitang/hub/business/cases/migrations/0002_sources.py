from typing import ClassVar

from django.db import migrations, models
from django.db.models import F


def know_what_was_known(apps, schema_editor):
    """Until now every case was filed as it was opened, and only alarms left a trace of where it came from."""
    cases = apps.get_model("cases", "Case").objects
    cases.update(filed_at=F("opened_at"))
    cases.filter(alarm__isnull=False).update(source="alarm")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField("case", "source", models.CharField(blank=True, default="", max_length=64)),
        migrations.AddField("case", "filed_at", models.DateTimeField(null=True)),
        migrations.RunPython(know_what_was_known, migrations.RunPython.noop),
    ]
