import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**kwargs):
    """Celery would replace the root logger's handlers; Django's JSON handler stays."""
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)
