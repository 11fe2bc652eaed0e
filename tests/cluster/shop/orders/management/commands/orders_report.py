from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders.models import Order


class Command(BaseCommand):
    help = "Prints one line for each order."

    def add_arguments(self, parser):
        parser.add_argument("--today", action="store_true", help="only the orders made today (UTC)")
        parser.add_argument("--count", type=int, metavar="N", help="at most N orders")
        parser.add_argument("--fail", action="store_true", help="fail after the report")

    def handle(self, *args, today=False, count=None, fail=False, **options):
        orders = Order.objects.prefetch_related("lines")
        if today:
            orders = orders.filter(created_at__date=timezone.now().date())
        if count is not None:
            orders = orders[:count]
        shown = 0
        for order in orders:
            pieces = sum(line.quantity for line in order.lines.all())
            self.stdout.write(f"{order.number}  {order.status:4}  {pieces:3} pieces  {order.customer}")
            self.stdout.flush()
            shown += 1
        self.stdout.write(f"{shown} orders")
        self.stdout.flush()
        if fail:
            raise CommandError("asked to fail")
