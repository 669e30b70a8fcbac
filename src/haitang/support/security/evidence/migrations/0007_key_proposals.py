import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0006_archives"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeyProposal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("what", models.CharField(max_length=16)),
                ("begins", models.DateTimeField(null=True)),
                ("reason", models.CharField(max_length=64)),
                ("proposed_by", models.CharField(max_length=128)),
                ("proposed_at", models.DateTimeField()),
                ("decided_by", models.CharField(blank=True, default="", max_length=128)),
                ("decided_at", models.DateTimeField(null=True)),
                ("approved", models.BooleanField(null=True)),
                (
                    "key",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="evidence.signingkey"),
                ),
                (
                    "made",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="evidence.signingkey"),
                ),
            ],
        ),
    ]
