from django.db import migrations

# Non-ASCII on purpose: a database that was made as SQL_ASCII refuses this migration.
PRODUCTS = {
    "Naučné hračky": [
        ("TOY-001", "Dřevěný vláček «Šárka»", "24.90", 12),
        ("TOY-002", "Puzzle Žluťoučký kůň", "14.50", 40),
    ],
    "茶": [
        ("TEA-001", "煎茶 100 g", "9.80", 75),
        ("TEA-002", "Earl Grey – loose leaf", "7.20", 120),
    ],
    "Décor": [
        ("DEC-001", "Crème brûlée candle 🕯", "18.00", 8),
        ("DEC-002", "Ωμέγα clock", "59.00", 3),
        ("DEC-003", "Plain vase", "32.00", 0),
    ],
}


def add(apps, schema_editor):
    Category = apps.get_model("catalog", "Category")
    Product = apps.get_model("catalog", "Product")
    for name, rows in PRODUCTS.items():
        category, _ = Category.objects.get_or_create(name=name)
        for sku, title, price, stock in rows:
            Product.objects.get_or_create(
                sku=sku, defaults={"name": title, "price": price, "stock": stock, "category": category}
            )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_category_stock")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
