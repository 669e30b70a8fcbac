"""A session may be a wall's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0004_alter_session_options_delegation")]

    operations = [migrations.AddField("session", "wall", models.UUIDField(db_index=True, null=True))]
