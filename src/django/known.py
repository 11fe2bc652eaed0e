# Which migrations this image has, and which are applied, as one line of JSON. Reads only. database.py stands before it.
def read_applied():
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder
    try:
        return sorted("%s.%s" % key for key in MigrationRecorder(connections[database]).applied_migrations()), None
    except Exception as e:
        return None, "%s: %s" % (type(e).__name__, clean(e).strip())


def describe_known():
    from django.db.migrations.loader import MigrationLoader
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    name = lambda key: "%s.%s" % tuple(key)
    replaces = {name(key): sorted(name(old) for old in migration.replaces) for key, migration in loader.disk_migrations.items() if migration.replaces}
    applied, why = read_applied()
    return {"disk": sorted(name(key) for key in loader.disk_migrations), "replaces": replaces, "applied": applied, "why": why}


try:
    say("kdj-known", describe_known())
except Exception as e:
    say("kdj-known", {"error": "%s: %s" % (type(e).__name__, clean(e).strip())})
