# Where the settings use a Redis: the use, host, port, database, user, password, whether TLS. settings.py stands before it.
def uses(settings):
    for name in ["CELERY_BROKER_URL", "BROKER_URL"]:
        yield "broker", getattr(settings, name, None)
    for name in ["CELERY_RESULT_BACKEND", "RESULT_BACKEND"]:
        yield "results", getattr(settings, name, None)
    for alias, cache in getattr(settings, "CACHES", {}).items():
        if "redis" in str(cache.get("BACKEND", "")).lower():
            place = cache.get("LOCATION")
            options = cache.get("OPTIONS") or {}
            yield "cache" if alias == "default" else "cache-%s" % alias, (first(place), options)
    for alias, layer in getattr(settings, "CHANNEL_LAYERS", {}).items():
        config = layer.get("CONFIG") or {}
        yield "channels" if alias == "default" else "channels-%s" % alias, first(config.get("hosts"))
    for alias, queue in getattr(settings, "RQ_QUEUES", {}).items():
        yield "rq" if alias == "default" else "rq-%s" % alias, queue.get("URL") or {
            "host": queue.get("HOST"), "port": queue.get("PORT"), "db": queue.get("DB"),
            "username": queue.get("USERNAME"), "password": queue.get("PASSWORD"), "tls": queue.get("SSL")}
    yield "url", getattr(settings, "REDIS_URL", None) or os.environ.get("REDIS_URL")


def first(value):
    # Primary and replicas, or the members of a cluster: the first.
    if isinstance(value, str):
        return re.split(r"[;,]\s*(?=\w+://)", value.strip())[0]
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (str, dict)) and len(value[0]) == 2:
        return {"host": value[0][0], "port": value[0][1]}
    if isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[1], int):
        return {"host": value[0], "port": value[1]}
    return first(value[0]) if isinstance(value, (list, tuple)) and value else value


def facts(place):
    place, options = place if isinstance(place, tuple) else (place, {})
    found = read(place)
    if found and not found["password"]:
        found["password"] = options.get("password") or options.get("PASSWORD")
    return found


def read(place):
    if isinstance(place, dict):
        url = place.get("address") or place.get("url")
        if isinstance(url, (str, list, tuple)):
            return read(first(url))
        found = {"tls": bool(place.get("tls") or place.get("ssl")), "socket": place.get("path"), "user": place.get("username"),
                 "password": place.get("password"), "host": place.get("host"), "port": place.get("port") or 6379, "database": place.get("db") or 0}
        return found if found["host"] or found["socket"] else None
    if not isinstance(place, str):
        return None
    from urllib.parse import parse_qs, unquote, urlsplit
    place = first(place)
    url = urlsplit(place if "://" in place else "redis://" + place)
    if url.scheme not in ("redis", "rediss", "valkey", "valkeys", "unix", "redis+socket"):
        return None
    query = parse_qs(url.query)
    database = query.get("db", query.get("virtual_host", [url.path.strip("/") or "0"]))[0]
    decode = lambda text: unquote(text) if text else None
    socket = url.path if url.scheme in ("unix", "redis+socket") else None
    return {"tls": url.scheme in ("rediss", "valkeys"), "socket": socket, "user": decode(url.username), "password": decode(url.password),
            "host": url.hostname or "localhost", "port": url.port or 6379, "database": int(database) if database.isdigit() else 0}


def find_all(settings):
    found = []
    for use, place in uses(settings):
        try:
            fact = facts(place)
            fact = fact and dict(fact, use=use, port=int(fact["port"]), database=int(fact["database"]))
        except ValueError:
            continue
        if fact and use not in [known["use"] for known in found]:
            found.append(fact)
    return found
