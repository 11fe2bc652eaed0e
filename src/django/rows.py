# Runs one statement over the app's own driver, and prints its rows as CSV or JSON while they come. The SQL comes on stdin as
# for script.py.
import csv, datetime, decimal, math, uuid


def read_sql():
    # In frames, as script.py has them.
    text = b""
    with open(0, "rb", 0, closefd=False) as pieces:
        for line in iter(pieces.readline, b""):
            left = int(line)
            if not left:
                return text.decode("utf-8", "surrogateescape")
            while left:
                piece = pieces.read(left) or os._exit(130)
                text += piece
                left -= len(piece)
    os._exit(130)


def open_connection():
    from warnings import filterwarnings
    from django.db import connections
    # Some backends ask something at once, and Django minds that no app is loaded.
    filterwarnings("ignore", "Accessing the database", RuntimeWarning)
    connection = connections[PARAMETERS["database"]].copy()
    settings = connection.settings_dict = dict(connection.settings_dict)
    options = settings["OPTIONS"] = dict(settings.get("OPTIONS") or {})
    if connection.vendor == "postgresql":
        options.pop("pool", None)
        options.setdefault("connect_timeout", 15)
        options["application_name"] = PARAMETERS["application"]
        options["options"] = startup_options(options.get("options") or os.environ.get("PGOPTIONS", ""))
        if not options["options"]:
            del options["options"]
    if connection.vendor == "mysql":
        options.setdefault("connect_timeout", 15)
    try:
        connection.ensure_connection()
    except Exception as e:
        if not PARAMETERS["read_only"] or "unsupported startup parameter" not in str(e):
            raise
        # A pooler in between: without them, it may be read-only all the same.
        del options["options"]
        PARAMETERS["refused"] = REFUSED
        connection.ensure_connection()
    if PARAMETERS["read_only"]:
        make_read_only(connection)
    return connection


def ask(cursor, statement):
    cursor.execute(statement)
    return cursor.fetchone()[0]


def make_read_only(connection):
    cursor = connection.connection.cursor()
    if connection.vendor == "postgresql":
        reason = why_not(ask(cursor, PARAMETERS["check"]))
    elif connection.vendor == "mysql":
        cursor.execute("SET SESSION " + MYSQL_READ_ONLY % ("=ON", "=ON") + mysql_limit())
        found = ask(cursor, "SELECT " + mysql_is_read_only())
        reason = None if found == 1 else "the server says the session's transactions are not read-only"
    elif connection.vendor == "sqlite":
        cursor.execute("PRAGMA query_only = ON")
        reason = None if ask(cursor, "PRAGMA query_only") == 1 else "SQLite does not know query_only"
    else:
        reason = "kdj knows no read-only mode of %s" % connection.vendor
    cursor.close()
    if reason:
        refuse(PARAMETERS, PARAMETERS.get("refused") or reason, HINT)


def can_have_a_cursor(sql):
    # Rather not: a table called `update` costs memory, not the answer.
    words = re.findall(r"\w+", re.sub(r"--[^\n]*(\n|$)|/\*.*?\*/", " ", sql, flags=re.S).lower())
    return words[:1] in (["select"], ["values"], ["table"], ["with"]) and not {"insert", "update", "delete", "merge", "into"} & set(words)


def run_statement(connection, sql):
    # A cursor of the server's, or of MySQL's that does not hold all rows at once, where the statement can have one.
    raw = connection.connection
    if connection.vendor == "mysql":
        cursor = raw.cursor(sys.modules["MySQLdb"].cursors.SSCursor)
    elif connection.vendor == "postgresql":
        named = can_have_a_cursor(sql)
        if named:
            connection.set_autocommit(False)
        cursor = raw.cursor("kdj") if named else raw.cursor()
    else:
        cursor = raw.cursor()
    cursor.execute(sql)
    return cursor


def watch(connections):
    # Nobody waits any more: the server is not to go on either, if there is a connection yet.
    os.read(0, 1)
    try:
        connection = connections[0]
        if connection.vendor == "mysql":
            with connection.copy().cursor() as cursor:
                cursor.execute("KILL QUERY %d" % connection.connection.thread_id())
        else:
            connection.connection.cancel()
    finally:
        os._exit(130)


def value_of(value, column):
    # As JSON has it. What JSON has no type for is a string; so are decimals, which would lose digits.
    if isinstance(value, str) and column[1] in JSON_TYPES:
        try:
            return json.loads(value)
        except ValueError:
            return value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [value_of(part, (None, None)) for part in value]
    if isinstance(value, dict):
        return value
    return str(value)


def text_of(value):
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def batches(cursor):
    while True:
        rows = cursor.fetchmany(500)
        if not rows:
            return
        yield rows


def names_of(columns):
    # Each has its own, as the keys of an object must.
    names = []
    for column in columns:
        name, number = str(column[0]), 2
        while name in names:
            name, number = "%s_%d" % (column[0], number), number + 1
        names.append(name)
    return names


def print_rows(cursor, out):
    rows = batches(cursor) if cursor.description is not None else iter(())
    # A cursor of the server knows its columns with the first rows.
    first = next(rows, [])
    columns = cursor.description or []
    names = names_of(columns)
    more = [first] if first else []
    as_csv = PARAMETERS["output"] == "csv"
    if as_csv:
        writer = csv.writer(out, lineterminator="\n")
        if names:
            writer.writerow([column[0] for column in columns])
    else:
        out.write('{"version":1,"columns":%s,"rows":[' % json.dumps(names, ensure_ascii=False))
    count = 0
    for batch in (batch for part in (more, rows) for batch in part):
        for row in batch:
            values = [value_of(value, column) for value, column in zip(row, columns)]
            if as_csv:
                writer.writerow([text_of(value) for value in values])
            else:
                out.write((",\n" if count else "\n") + json.dumps(dict(zip(names, values)), ensure_ascii=False, default=str))
            count += 1
    if not as_csv:
        affected = count if columns else max(cursor.rowcount, 0)
        out.write('%s],"count":%d}\n' % ("\n" if count else "", affected))
    out.flush()


# What psycopg and MySQL's drivers call a column of JSON.
JSON_TYPES = (114, 3802, 245)
try:
    settings = load_settings()
    found = find_connection(settings, PARAMETERS["database"])
except Problem:
    # kdj asks again what it is.
    sys.exit(PARAMETERS["problem_code"])
if PARAMETERS["banner"]:
    sys.stderr.write("%s; the app's own driver\n" % describe(found))
    sys.stderr.flush()
out = open(1, "w", encoding="utf-8", errors="surrogateescape", newline="", closefd=False)
try:
    sql = read_sql()
    opened = []
    threading.Thread(target=watch, args=[opened], daemon=True).start()
    connection = open_connection()
    opened.append(connection)
    print_rows(run_statement(connection, sql), out)
    if not connection.get_autocommit():
        connection.commit()
    code = 0
except BrokenPipeError:
    code = 141
except Exception as e:
    try:
        out.flush()
    except OSError:
        pass
    said = without_passwords(e, [found["password"]]).strip()
    sys.stderr.write("error: %s: %s\n" % (type(e).__name__, said))
    code = 1
sys.stderr.flush()
os._exit(code)
