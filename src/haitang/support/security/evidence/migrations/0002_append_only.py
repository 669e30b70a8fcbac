"""The database itself keeps the ledger append-only."""

from django.db import migrations

FORWARD = """
create function evidence_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the evidence ledger is append-only: % of % is refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;

create function evidence_seal_once() returns trigger language plpgsql as $$
begin
    if old.seal_id is null and new.seal_id is not null and old.leaf_index is null and new.leaf_index is not null
        and to_jsonb(old) - 'seal_id' - 'leaf_index' = to_jsonb(new) - 'seal_id' - 'leaf_index' then
        return new;
    end if;
    raise exception 'the evidence ledger is append-only: record % may be sealed once and not changed', old.id using errcode = 'restrict_violation';
end $$;

create function evidence_stamp_once() returns trigger language plpgsql as $$
begin
    if old.timestamp_token is null and to_jsonb(old) - 'timestamp_token' = to_jsonb(new) - 'timestamp_token' then
        return new;
    end if;
    raise exception 'the evidence ledger is append-only: seal % may be time-stamped once and not changed', old.number using errcode = 'restrict_violation';
end $$;

create trigger append_only before delete on evidence_evidencerecord for each row execute function evidence_refuse();
create trigger sealed_once before update on evidence_evidencerecord for each row execute function evidence_seal_once();
create trigger no_truncate before truncate on evidence_evidencerecord for each statement execute function evidence_refuse();
create trigger append_only before delete on evidence_seal for each row execute function evidence_refuse();
create trigger stamped_once before update on evidence_seal for each row execute function evidence_stamp_once();
create trigger no_truncate before truncate on evidence_seal for each statement execute function evidence_refuse();
create trigger append_only before delete or update on evidence_signingkey for each row execute function evidence_refuse();
create trigger no_truncate before truncate on evidence_signingkey for each statement execute function evidence_refuse();
"""

BACKWARD = """
drop trigger append_only on evidence_evidencerecord;
drop trigger sealed_once on evidence_evidencerecord;
drop trigger no_truncate on evidence_evidencerecord;
drop trigger append_only on evidence_seal;
drop trigger stamped_once on evidence_seal;
drop trigger no_truncate on evidence_seal;
drop trigger append_only on evidence_signingkey;
drop trigger no_truncate on evidence_signingkey;
drop function evidence_refuse();
drop function evidence_seal_once();
drop function evidence_stamp_once();
"""


class Migration(migrations.Migration):
    dependencies = [("evidence", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
