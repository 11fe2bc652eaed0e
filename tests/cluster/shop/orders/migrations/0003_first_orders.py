from django.db import migrations

CUSTOMERS = ["Jiří Dvořák", "山田 花子", "Zoë O'Neill", "Łukasz Żak", "Ann Example"]
STATUSES = ["open", "paid", "sent", "open", "paid"]


def add(apps, schema_editor):
    Product = apps.get_model("catalog", "Product")
    Order = apps.get_model("orders", "Order")
    OrderLine = apps.get_model("orders", "OrderLine")
    products = list(Product.objects.order_by("sku"))
    for n, (customer, status) in enumerate(zip(CUSTOMERS, STATUSES), start=1):
        order, made = Order.objects.get_or_create(
            number=f"2026-{n:04}", defaults={"customer": customer, "status": status}
        )
        if made:
            for product in products[n - 1 : n + 1]:
                OrderLine.objects.create(order=order, product=product, quantity=n)


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_order_status"), ("catalog", "0003_first_products")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
