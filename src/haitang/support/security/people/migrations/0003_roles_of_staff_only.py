"""No account but a member of staff's can hold a role: the holding carries the sort `staff`, and a foreign key ties it to the person's own."""

from django.db import migrations

FORWARD = """
alter table people_roleholding add column kind varchar(16) not null default 'staff';
alter table people_roleholding add constraint only_staff_hold_roles check (kind = 'staff');
alter table people_roleholding add constraint role_holding_sort foreign key (person_id, kind) references people_person (id, kind) deferrable initially immediate;
"""
BACKWARD = """
alter table people_roleholding drop constraint role_holding_sort;
alter table people_roleholding drop column kind;
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0002_identity")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
