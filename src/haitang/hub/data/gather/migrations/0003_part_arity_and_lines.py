from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gather", "0002_declared"),
    ]

    operations = [
        migrations.AddField("part", "arity", models.SmallIntegerField(default=2)),
        migrations.AddField("part", "first_line", models.BigIntegerField(null=True)),
        migrations.AddField("part", "last_line", models.BigIntegerField(null=True)),
    ]
