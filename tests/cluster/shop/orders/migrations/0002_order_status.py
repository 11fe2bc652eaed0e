from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.AddField(
            "order",
            "status",
            models.CharField(
                choices=[("open", "Open"), ("paid", "Paid"), ("sent", "Sent")], default="open", max_length=8
            ),
        ),
        migrations.AddIndex("order", models.Index(fields=["status"], name="orders_by_status")),
    ]
