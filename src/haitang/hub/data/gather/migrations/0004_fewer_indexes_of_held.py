from django.db import migrations, models
from django.db.models.deletion import CASCADE, PROTECT


class Migration(migrations.Migration):
    dependencies = [
        ("gather", "0003_part_arity_and_lines"),
    ]

    operations = [
        migrations.RemoveIndex("held", "held_by_resubmission"),
        migrations.AlterField("held", "run", models.ForeignKey("gather.run", CASCADE, related_name="held", db_index=False)),
        migrations.AlterField(
            "held", "submitted_in", models.ForeignKey("gather.run", PROTECT, null=True, related_name="resubmits", db_index=False)
        ),
        migrations.AddIndex(
            "held", models.Index(fields=["submitted_in"], condition=models.Q(submitted_in__isnull=False), name="held_resubmitted")
        ),
    ]
