# Runs statements of kdj's own by Django's driver, each in a read-only transaction that waits neither for locks nor for long,
# and prints what they answer. PARAMETERS: `database`, `application`, `values`, and `statements`: of each kind of server
# a list of [name, SQL, SQL to try when that fails].
LIMIT = 10


def begin(connection):
    if connection.vendor == "postgresql":
        # By one round trip, and for this transaction alone, whoever's the connection is when a pooler takes it back.
        limits = "SET LOCAL statement_timeout = '%ds'; SET LOCAL lock_timeout = '1s'; SET LOCAL search_path = pg_catalog; SET LOCAL application_name = %s"
        name = "'%s'" % PARAMETERS["application"].replace("'", "''")
        return ["BEGIN READ ONLY", limits % (LIMIT, name)]
    limit = "max_statement_time = %d" % LIMIT if connection.mysql_is_mariadb else "max_execution_time = %d" % (LIMIT * 1000)
    return ["SET SESSION " + limit, "SET SESSION lock_wait_timeout = 1", "START TRANSACTION READ ONLY"]


def ask(connection, sql, values):
    cursor = connection.connection.cursor()
    try:
        for before in begin(connection):
            cursor.execute(before)
        cursor.execute(sql, values) if values else cursor.execute(sql)
        # MySQL's KILL answers nothing.
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row)) for row in (cursor.fetchall() if names else ())]
    finally:
        try:
            # Not the driver's own: psycopg2 has none of what it did not begin itself.
            cursor.execute("ROLLBACK")
            cursor.close()
        except Exception:
            # A dead connection has no transaction. Why it is dead was said before.
            pass


def plain(value):
    # What JSON has no word for.
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def run(connection):
    if connection.vendor not in ("postgresql", "mysql"):
        raise Problem("vendor", "the database `%s` is of the kind %s" % (connection.alias, connection.vendor))
    options = connection.settings_dict["OPTIONS"]
    options.pop("pool", None)
    options.setdefault("connect_timeout", LIMIT)
    try:
        connection.connect()
    except Exception as e:
        raise Problem("connect", "%s: %s" % (type(e).__name__, e))
    maria = connection.vendor == "mysql" and connection.mysql_is_mariadb
    server = "mariadb" if maria else connection.vendor
    rows, notes = {}, []
    for name, sql, other in PARAMETERS["statements"][server]:
        # Only the statement that changes something has places for values.
        values = PARAMETERS["values"] if "%(" in sql else None
        try:
            rows[name] = ask(connection, sql, values)
        except Exception as e:
            said = "%s: %s" % (type(e).__name__, str(e).strip())
            if "told" in rows:
                # What was done is done, whatever cannot be asked after it.
                notes.append(said)
                break
            if not other:
                raise Problem("statement", said)
            notes.append(said)
            try:
                rows[name] = ask(connection, other, None)
            except Exception:
                raise Problem("statement", said)
        if name == "same" and not rows[name]:
            # It is another now: nothing is done to it.
            break
    return {"server": server, "rows": rows, "notes": notes}


def answer():
    password = None
    try:
        databases = load_settings().DATABASES
        alias = PARAMETERS["database"]
        if alias not in databases:
            raise Problem("unknown-database", "the settings have no database `%s`, only %s" % (alias, ", ".join(sorted(databases)) or "none"))
        password = databases[alias].get("PASSWORD")
        from django.db import connections
        try:
            return run(connections[alias])
        except Problem:
            raise
        except Exception as e:
            raise Problem("statement", "%s: %s" % (type(e).__name__, e))
    except Problem as e:
        return {"error": {"kind": e.kind, "message": without_passwords(e, [password]).strip()}}


sys.stdout.write("\nkdj-rows: %s\n" % json.dumps(answer(), default=plain))
sys.stdout.flush()
