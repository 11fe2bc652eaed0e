import logging
import time

from celery import shared_task

from orders.models import Order

log = logging.getLogger(__name__)


@shared_task
def count_open_orders():
    """Beat's own task: one log line each half minute."""
    count = Order.objects.filter(status=Order.Status.OPEN).count()
    log.info("open orders counted", extra={"count": count})
    return count


@shared_task
def send_receipt(number):
    order = Order.objects.get(number=number)
    log.info("receipt sent", extra={"order": order.number, "customer": order.customer})


@shared_task
def work(seconds):
    """Keeps one worker busy: for tests of scaling and of a warm shutdown."""
    log.info("work started", extra={"seconds": seconds})
    time.sleep(seconds)
    log.info("work done", extra={"seconds": seconds})


@shared_task
def fail():
    raise ValueError("asked to fail")
