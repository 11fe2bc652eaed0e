import json, os, re, sys
# Stands before plan.py, and before locks.py and migrate.py: the parameters, and what a database is called.
database = PARAMETERS["database"]


def say(mark, value):
    # ASCII, whatever the locale; on a line of its own, whatever the project has printed before it.
    fresh = getattr(sys.stdout, "fresh", False)
    sys.stdout.write("%s%s: %s\n" % ("" if fresh else "\n", mark, json.dumps(value)))
    sys.stdout.flush()


def clean(text):
    from django.conf import settings
    return without_passwords(text, [values.get("PASSWORD") for values in settings.DATABASES.values()])


def describe_exception(e):
    return {"exception": "%s.%s" % (type(e).__module__, type(e).__qualname__), "message": clean(e).strip()}


def describe_database(connection):
    from hashlib import sha256
    values = connection.settings_dict
    port = str(values.get("PORT") or {"postgresql": 5432, "mysql": 3306}.get(connection.vendor, ""))
    # A name may be a whole connection string.
    name = str(values.get("NAME") or "")
    safe = name and not re.search(r"://|=", name)
    place = [connection.vendor, str(values.get("HOST") or ""), port, name if safe else ""]
    if not safe:
        place.append(str((values.get("OPTIONS") or {}).get("service", "")))
    identity = sha256(json.dumps(place).encode()).hexdigest()[:16]
    return {"alias": connection.alias, "vendor": connection.vendor, "name": name if safe else None,
            "host": place[1] or None, "port": port or None, "identity": identity}


def in_order(executor, plan):
    # Django applies in the order of the full plan.
    if len(plan) < 2 or plan[0][1]:
        return plan
    place = {m: n for n, (m, _) in enumerate(executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True))}
    return sorted(plan, key=lambda step: place.get(step[0], len(place)))
