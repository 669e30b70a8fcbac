"""Keys that endorse each other, keys that are no longer safe, and the suite of a record's digest."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
create trigger append_only before delete or update on evidence_keycompromise for each row execute function evidence_refuse();
create trigger no_truncate before truncate on evidence_keycompromise for each statement execute function evidence_refuse();
"""
BACKWARD = "drop trigger append_only on evidence_keycompromise; drop trigger no_truncate on evidence_keycompromise;"


class Migration(migrations.Migration):
    dependencies = [("evidence", "0003_access")]
    operations = [
        migrations.AddField("signingkey", "starts_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "signingkey", "previous",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="successors", to="evidence.signingkey"),
        ),
        migrations.AddField("signingkey", "endorsement", models.TextField(blank=True, default="")),
        migrations.AddField("signingkey", "possession", models.TextField(blank=True, default="")),
        migrations.AddField("evidencerecord", "suite", models.CharField(db_default="ed25519-sha256", max_length=32)),
        migrations.CreateModel(
            name="KeyCompromise",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                ("declared_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=64)),
                ("signature", models.TextField()),
                ("by", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="evidence.signingkey")),
                ("key", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="compromises", to="evidence.signingkey")),
            ],
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]  # fmt: skip
