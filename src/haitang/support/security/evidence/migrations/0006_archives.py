"""Archives, and the only way out of the ledger: archived and older than six months."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
create function evidence_forget_archived() returns trigger language plpgsql as $$
declare
    of_seal bigint;
begin
    if tg_table_name = 'evidence_access' then
        select seal_id into of_seal from evidence_evidencerecord where ref = old.ref;
    else
        of_seal := old.seal_id;
    end if;
    if exists (
        select 1 from evidence_seal as seal join evidence_archive as archive on seal.number between archive.first_seal and archive.last_seal
        where seal.number = of_seal and seal.sealed_at < now() - interval '6 months'
    ) then
        return old;
    end if;
    raise exception 'the evidence ledger is append-only: % leaves % only archived and after six months', old.ref, tg_table_name
        using errcode = 'restrict_violation';
end $$;
drop trigger append_only on evidence_evidencerecord;
create trigger append_only before delete on evidence_evidencerecord for each row execute function evidence_forget_archived();
drop trigger append_only on evidence_access;
create trigger append_only before update on evidence_access for each row execute function evidence_refuse();
create trigger archived_only before delete on evidence_access for each row execute function evidence_forget_archived();
create trigger append_only before delete or update on evidence_archive for each row execute function evidence_refuse();
create trigger no_truncate before truncate on evidence_archive for each statement execute function evidence_refuse();
"""
BACKWARD = """
drop trigger append_only on evidence_evidencerecord;
create trigger append_only before delete on evidence_evidencerecord for each row execute function evidence_refuse();
drop trigger archived_only on evidence_access;
drop trigger append_only on evidence_access;
create trigger append_only before delete or update on evidence_access for each row execute function evidence_refuse();
drop trigger append_only on evidence_archive;
drop trigger no_truncate on evidence_archive;
drop function evidence_forget_archived();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0005_days"),
    ]

    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_seal", models.BigIntegerField(unique=True)),
                ("last_seal", models.BigIntegerField(unique=True)),
                ("records", models.BigIntegerField()),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("file", models.CharField(max_length=128)),
                ("digest", models.CharField(max_length=64)),
                ("private_file", models.CharField(max_length=128)),
                ("private_digest", models.CharField(max_length=64)),
                ("archived_at", models.DateTimeField()),
                ("signature", models.TextField()),
            ],
        ),
        migrations.AddIndex(
            model_name="evidencerecord",
            index=models.Index(fields=["action", "at"], name="evidence_by_action"),
        ),
        migrations.AddField(
            model_name="archive",
            name="key",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="evidence.signingkey"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
