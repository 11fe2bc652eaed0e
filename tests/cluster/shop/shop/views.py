import os

from django.http import HttpResponse

from catalog.models import Product


def healthz(request):
    """Touches no database: a pod is ready before the first migration."""
    return HttpResponse("ok\n", content_type="text/plain")


def home(request):
    return HttpResponse(
        f"{Product.objects.count()} products, served by {os.environ.get('HOSTNAME', '?')}\n",
        content_type="text/plain; charset=utf-8",
    )


def boom(request):
    """Raises, so that there is a traceback in the log."""
    raise RuntimeError("asked to fail")
