# Stands before migrate.py: who holds which lock in the database. PostgreSQL only.
import socket, threading, time

BLOCKERS = """SELECT b.pid, a.application_name, a.usename, a.state,
 extract(epoch FROM clock_timestamp() - a.query_start)::float8, extract(epoch FROM clock_timestamp() - a.xact_start)::float8
 FROM unnest(pg_blocking_pids(%s)) AS b (pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid ORDER BY 1"""
HOLDERS = """SELECT l.pid, a.application_name, a.usename, a.state,
 extract(epoch FROM clock_timestamp() - a.query_start)::float8, extract(epoch FROM clock_timestamp() - a.xact_start)::float8
 FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid::bigint = %s AND l.objid::bigint = %s
 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
SESSION = ["pid", "application_name", "user", "state", "query_seconds", "transaction_seconds"]


class Busy(Exception):
    def __init__(self, holder):
        self.holder = holder


def emit(event, **values):
    with sys.stdout.lock:
        say("kdj-migrate", dict({"event": event, "time": round(time.time(), 3)}, **values))


def sessions(cursor, query, parameters):
    cursor.execute(query, parameters)
    rows = [dict(zip(SESSION, row)) for row in cursor.fetchall()]
    for row in rows:
        for age in SESSION[4:]:
            row[age] = row[age] and round(max(row[age], 0.0), 1)
    return rows


def another(connection):
    # A connection of our own to the same database, of no pool, which notices when the network has forgotten it.
    found = connection.copy()
    options = dict(found.settings_dict.get("OPTIONS") or {})
    options.pop("pool", None)
    for name, value in ("connect_timeout", 10), ("keepalives_idle", 30), ("keepalives_interval", 10), ("keepalives_count", 3):
        options.setdefault(name, value)
    found.settings_dict = dict(found.settings_dict, OPTIONS=options)
    return found


def shut(connection):
    try:
        connection.close()
    except Exception:
        pass


class Fence:
    # Holds a lock in the database for the whole run, in a transaction of its own: a pooler keeps that together.
    def __init__(self, connection):
        self.main = connection
        self.connection = None

    def take(self):
        from hashlib import sha256
        self.connection = another(self.main)
        self.connection.set_autocommit(False)
        with self.connection.cursor() as cursor:
            # Without a snapshot, for which CREATE INDEX CONCURRENTLY would wait.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            # No timeout may end it. Which there are depends on the version.
            cursor.execute("SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout', 'statement_timeout')")
            cursor.fetchall()
            cursor.execute("SELECT set_config('application_name', %s, true)", [("kdj migrate on " + socket.gethostname())[:63]])
            cursor.execute("SELECT current_database()")
            key = int.from_bytes(sha256(("kdj migrate " + cursor.fetchone()[0]).encode()).digest()[:8], "big", signed=True)
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
            if not cursor.fetchone()[0]:
                whole = key & (2 ** 64 - 1)
                found = sessions(cursor, HOLDERS, [whole >> 32, whole & (2 ** 32 - 1)])
                raise Busy(found[0] if found else None)

    def check(self):
        # Before each migration. Where the lock went with its connection, it is taken again, or nothing more is done.
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Exception as e:
            shut(self.connection)
            emit("note", message="the lock's connection was lost (%s); the lock is taken again" % clean(e).strip())
            self.take()


class Watch(threading.Thread):
    # Looks, on a connection of its own, who blocks the migration that is running.
    def __init__(self, connection, delay):
        threading.Thread.__init__(self, daemon=True)
        self.main, self.delay = connection, delay
        self.change = threading.Condition()
        self.watched = None
        self.blockers = []

    def begin(self, step, pid):
        with self.change:
            self.watched, self.blockers = (step, pid, time.monotonic()), []
            self.change.notify()

    def end(self):
        with self.change:
            self.watched = None
            self.change.notify()

    def run(self):
        connection, complained = None, False
        while True:
            with self.change:
                while not self.watched:
                    self.change.wait()
                watched = self.watched
                shown, last = [], 0
                self.change.wait(max(0, watched[2] + self.delay - time.monotonic()))
            while self.watched is watched:
                try:
                    connection = connection or another(self.main)
                    with connection.cursor() as cursor:
                        found = sessions(cursor, BLOCKERS, [watched[1]])
                except Exception as e:
                    if connection:
                        shut(connection)
                    connection, found = None, []
                    if not complained:
                        complained = True
                        emit("note", message="cannot see who holds locks: %s" % clean(e).strip())
                with self.change:
                    if self.watched is not watched:
                        break
                    pids = [row["pid"] for row in found]
                    self.blockers = found or self.blockers
                    if pids != shown or (pids and time.monotonic() - last >= 10):
                        emit("waiting", blockers=found, seconds=round(time.monotonic() - watched[2], 1), **watched[0])
                        shown, last = pids, time.monotonic()
                    self.change.wait(1)


def code_of(e):
    # PostgreSQL's error code, by psycopg 2 or 3, however deep.
    seen = set()
    while e is not None and id(e) not in seen:
        seen.add(id(e))
        code = getattr(e, "sqlstate", None) or getattr(e, "pgcode", None)
        if code:
            return code
        e = e.__cause__ or e.__context__
    return None


def show(cursor, name):
    cursor.execute("SHOW " + name)
    return cursor.fetchone()[0]


def milliseconds(text):
    number, unit = re.match(r"(\d+)\s*(\w*)", str(text)).groups()
    return int(number) * {"us": 0.001, "s": 1000, "min": 60000, "h": 3600000, "d": 86400000}.get(unit, 1)
