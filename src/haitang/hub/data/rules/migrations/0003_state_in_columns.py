from typing import Any, ClassVar

from django.db import migrations, models


def repack(apps: Any, schema: Any) -> None:
    """Buffers that were kept as JSON become columns."""
    from haitang.hub.data.rules.buffer import Buffer, Entry

    for row in apps.get_model("rules", "RuleState").objects.filter(state__has_key="buffer").iterator(2000):
        kept = row.state.pop("buffer")
        buffer = Buffer(Entry(*each[:5]) for each in kept)
        buffer.whens, buffer.untils = [each[5] for each in kept], [each[6] for each in kept]
        row.state["newest"] = buffer.ends[-1] if buffer.ends else None
        row.buffer = buffer.packed()
        row.save(update_fields=["state", "buffer"])


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("rules", "0002_alarm_held")]

    operations: ClassVar[list[Any]] = [
        migrations.AddField("rulestate", "buffer", models.BinaryField(default=bytes)),
        migrations.AddField("rulestate", "ahead", models.JSONField(null=True)),
        # Packed numbers do not compress; trying costs PostgreSQL more than they take.
        migrations.RunSQL("alter table rules_rulestate alter column buffer set storage external", migrations.RunSQL.noop),
        migrations.RunPython(repack, migrations.RunPython.noop),
    ]
