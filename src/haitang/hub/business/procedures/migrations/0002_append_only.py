"""The log of a run is the truth, so the database refuses to change or delete it."""

from django.db import migrations

FORWARD = """
create function procedures_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the log of a run is append-only: % of % is refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger append_only before delete or update on procedures_runevent for each row execute function procedures_refuse();
"""

BACKWARD = """
drop trigger append_only on procedures_runevent;
drop function procedures_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("procedures", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
