# What `migrate` would do, as one line of JSON. Reads only.
class Wrong(Exception):
    def __init__(self, kind, message):
        Exception.__init__(self, message)
        self.kind = kind


def choose_targets(executor):
    from django.apps import apps
    loader = executor.loader
    app, name = PARAMETERS["app"], PARAMETERS["migration"]
    if not app:
        return loader.graph.leaf_nodes()
    try:
        apps.get_app_config(app)
    except LookupError as e:
        raise Wrong("unknown-app", str(e))
    if app not in loader.migrated_apps:
        raise Wrong("app-without-migrations", "App '%s' does not have migrations." % app)
    if not name:
        return [key for key in loader.graph.leaf_nodes() if key[0] == app]
    if name == "zero":
        return [(app, None)]
    found = sorted(n for a, n in loader.disk_migrations if a == app and n.startswith(name))
    if not found:
        raise Wrong("unknown-migration", "Cannot find a migration matching '%s' from app '%s'." % (name, app))
    if len(found) > 1:
        raise Wrong("ambiguous-migration", "More than one migration matches '%s' in app '%s': %s" % (name, app, ", ".join(found)))
    target = (app, found[0])
    if target not in loader.graph.nodes and target in loader.replacements:
        target = loader.replacements[target].replaces[-1]
    return [target]


def describe_operation(operation, reversal):
    try:
        text = str(operation.describe())
    except Exception as e:
        text = "%s (%s)" % (type(operation).__name__, clean(e))
    code = getattr(operation, "reverse_code" if reversal else "code", None)
    return {"kind": type(operation).__name__, "describe": text, "reversible": bool(getattr(operation, "reversible", True)),
            "sql": bool(getattr(operation, "reduces_to_sql", True)), "python": getattr(code, "__qualname__", None)}


def collect_sql(connection, migration, reversal, state):
    from django.db import transaction

    class Undo(Exception):
        pass

    class Nothing:
        def __enter__(self):
            pass

        def __exit__(self, *_):
            pass

    editor = connection.schema_editor(collect_sql=True, atomic=migration.atomic)
    # An operation that writes while its SQL is collected must not. Those that refuse a transaction have none.
    guarded = connection.vendor == "postgresql" and migration.atomic
    try:
        with transaction.atomic(connection.alias) if guarded else Nothing():
            if guarded:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
            with editor:
                (migration.unapply if reversal else migration.apply)(state, editor, collect_sql=True)
            raise Undo()
    except Undo:
        return editor.collected_sql, None
    except Exception as e:
        lines = clean(e).strip().splitlines()
        return editor.collected_sql, "%s: %s" % (type(e).__name__, lines[0] if lines else "")


def describe_migrations(executor, connection, plan):
    state = None
    found = []
    for migration, reversal in plan:
        key = migration.app_label, migration.name
        faked = PARAMETERS["fake"]
        sql, reason = [], None
        if not faked:
            try:
                if reversal:
                    before = executor.loader.project_state(key, at_end=False)
                else:
                    if state is None:
                        state = executor._create_project_state(with_applied_migrations=True)
                    before = state.clone()
                    if PARAMETERS["fake_initial"]:
                        faked = executor.detect_soft_applied(before.clone(), migration)[0]
                if not faked:
                    sql, reason = collect_sql(connection, migration, reversal, before)
                if not reversal:
                    # Where it went well, the operations have made the state.
                    state = migration.mutate_state(state, preserve=False) if faked or reason else before
            except Exception as e:
                reason = "%s: %s" % (type(e).__name__, clean(e))
        found.append({
            "app": key[0], "name": key[1], "reversal": reversal, "atomic": bool(migration.atomic), "faked": bool(faked),
            "initial": bool(migration.initial or (migration.initial is None and not any(a == key[0] for a, _ in migration.dependencies))),
            "operations": [describe_operation(o, reversal) for o in migration.operations],
            "sql": [clean(s) for s in sql], "no_sql": reason,
        })
    return found


def make_plan():
    import django
    from django.core.management import get_commands
    from django.db import connections
    from django.db.migrations.exceptions import BadMigrationError, CircularDependencyError, InconsistentMigrationHistory, NodeNotFoundError
    from django.db.migrations.executor import MigrationExecutor
    from django.db.utils import Error
    result = {"version": 1, "django": django.get_version(), "database": {"alias": database}, "migrations": [], "error": None}
    try:
        if database not in connections:
            raise Wrong("unknown-database", "The settings have no database '%s', only %s." % (database, ", ".join(sorted(connections))))
        connection = connections[database]
        options = dict(connection.settings_dict.get("OPTIONS") or {})
        said = "service" in options or os.environ.get("PGCONNECT_TIMEOUT") or os.environ.get("PGSERVICE")
        if PARAMETERS.get("connect_timeout") and connection.vendor in ("postgresql", "mysql") and not said:
            # A database that drops packets is one that does not answer.
            options.setdefault("connect_timeout", PARAMETERS["connect_timeout"])
            connection.settings_dict["OPTIONS"] = options
        result["database"] = describe_database(connection)
        result["commands"] = sorted(get_commands())
        command = get_commands().get("migrate", "django.core")
        result["command"] = command if isinstance(command, str) else type(command).__module__
        executor = MigrationExecutor(connection)
        result["apps"] = sorted(executor.loader.migrated_apps)
        executor.loader.check_consistent_history(connection)
        conflicts = executor.loader.detect_conflicts()
        if conflicts:
            names = "; ".join("%s in %s" % (", ".join(names), app) for app, names in sorted(conflicts.items()))
            raise Wrong("conflicts", "Conflicting migrations detected; multiple leaf nodes in the migration graph: (%s)." % names)
        plan = in_order(executor, executor.migration_plan(choose_targets(executor)))
        result["migrations"] = describe_migrations(executor, connection, plan)
    except Wrong as e:
        result["error"] = {"kind": e.kind, "message": clean(e)}
    except InconsistentMigrationHistory as e:
        result["error"] = {"kind": "inconsistent-history", "message": clean(e)}
    except (NodeNotFoundError, CircularDependencyError, BadMigrationError) as e:
        result["error"] = {"kind": "broken-graph", "message": clean(e)}
    except Error as e:
        result["error"] = {"kind": "database", "message": clean(e).strip()}
    except Exception as e:
        import traceback
        sys.stderr.write(clean("".join(traceback.format_exception(type(e), e, e.__traceback__))))
        result["error"] = {"kind": "exception", "message": "%s: %s" % (type(e).__name__, clean(e))}
    return result


result = make_plan()
say("kdj-plan", result)
sys.exit(1 if result["error"] else 0)
