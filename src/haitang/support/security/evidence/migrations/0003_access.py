"""Whose data an access touched, as blind entries; append-only like the rest."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

FORWARD = """
create trigger append_only before delete or update on evidence_access for each row execute function evidence_refuse();
create trigger no_truncate before truncate on evidence_access for each statement execute function evidence_refuse();
"""
BACKWARD = "drop trigger append_only on evidence_access; drop trigger no_truncate on evidence_access;"


class Migration(migrations.Migration):
    dependencies = [("evidence", "0002_append_only")]
    operations = [
        migrations.CreateModel(
            name="Access",
            fields=[
                ("ref", models.UUIDField(primary_key=True, serialize=False)),
                ("subjects", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
            ],
            options={"indexes": [django.contrib.postgres.indexes.GinIndex(fields=["subjects"], name="evidence_by_person")]},
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
