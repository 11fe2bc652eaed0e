import logging
import time

log = logging.getLogger("shop.request")


class RequestLog:
    """One JSON line for each request, save the probes'."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        started = time.monotonic()
        response = self.get_response(request)
        if request.path != "/healthz":
            log.info(
                "%s %s",
                request.method,
                request.path,
                extra={"status": response.status_code, "duration_ms": round((time.monotonic() - started) * 1000, 1)},
            )
        return response
