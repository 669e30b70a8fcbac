"""Screens on a wall."""

from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models

import haitang.base.ids


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []

    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.CreateModel(
            name="Wall",
            fields=[
                ("id", models.UUIDField(default=haitang.base.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=100)),
                ("scopes", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None)),
                ("digest", models.CharField(max_length=64, null=True, unique=True)),
                ("opens_before", models.DateTimeField()),
                ("granted_by", models.CharField(max_length=80)),
                ("granted_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddConstraint(
            model_name="wall",
            constraint=models.CheckConstraint(condition=models.Q(("scopes", []), _negated=True), name="wall_reads_something"),
        ),
    ]
