# Which migrations this image has, and which are applied, in which second, in any database, as one line of JSON. Reads only.
# database.py stands before it.
def read_applied():
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder
    applied, failed = {}, []
    for alias in connections:
        try:
            recorder = MigrationRecorder(connections[alias])
            if recorder.applied_migrations():
                for app, name, time in recorder.migration_qs.values_list("app", "name", "applied"):
                    key = "%s.%s" % (app, name)
                    applied[key] = max(time.timestamp(), applied.get(key, 0))
        except Exception as e:
            failed.append("%s: %s: %s" % (alias, type(e).__name__, clean(e).strip()))
    return None if failed and not applied else applied, "; ".join(failed) or None


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
