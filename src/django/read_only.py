import os, re, sys
from django.db import NotSupportedError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
# Makes the databases read-only, as far as Django makes the connections: each new one is asked whether it is, and closed
# when it is not. PARAMETERS: `alias` to use in the place of `default`, `role` of PostgreSQL, `timeout` in milliseconds,
# `check` that PostgreSQL is asked.
connect = BaseDatabaseWrapper.connect
# What poolers and proxies say that take no `options`: PgBouncer, RDS Proxy.
REFUSED = "unsupported startup parameter|command-line options"
HINT = "\nhint: reach the database without it, by an alias of its own: [database] read_only_alias in kdj.toml; or `--read-write`"
unset = {}
refused = {}


class NotReadOnly(NotSupportedError):
    pass


def ask(connection, sql):
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()


def prepare_postgresql(connection):
    options = connection.settings_dict["OPTIONS"]
    # Its connections are opened beside this, and handed on between threads.
    options.pop("pool", None)
    if connection.alias not in unset:
        unset[connection.alias] = options.get("options")
    words = ["default_transaction_read_only=on"]
    if PARAMETERS["timeout"]:
        words.append("statement_timeout=%d" % PARAMETERS["timeout"])
    if PARAMETERS["role"]:
        options.pop("assume_role", None)
        words.append("role=" + re.sub(r"([\\ ])", r"\\\1", PARAMETERS["role"]))
    before = unset[connection.alias] or os.environ.get("PGOPTIONS", "")
    options["options"] = " ".join([before] + ["-c " + word for word in words]).strip()


def check_postgresql(connection):
    # `kdj:REASON:`; on a replica, or for a user who is read-only by itself, there is none without the option, too.
    reason = ask(connection, PARAMETERS["check"])[0][0].strip()[4:-1]
    return reason and (refused.get(connection.alias) or reason)


def check_mysql(connection):
    ask(connection, "SET SESSION TRANSACTION READ ONLY")
    if PARAMETERS["timeout"]:
        maria = getattr(connection, "mysql_is_mariadb", False)
        limit = "max_statement_time=%.3f" % (PARAMETERS["timeout"] / 1000) if maria else "max_execution_time=%d" % PARAMETERS["timeout"]
        ask(connection, "SET SESSION " + limit)
    states = ask(connection, "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_read_only', 'transaction_read_only')")
    if not states or any(state not in ("ON", "1") for _, state in states):
        return "the server did not turn it on"


def check_sqlite(connection):
    ask(connection, "PRAGMA query_only = ON")
    if ask(connection, "PRAGMA query_only")[0][0] != 1:
        return "SQLite did not turn it on"


CHECKS = {"postgresql": check_postgresql, "mysql": check_mysql, "sqlite": check_sqlite}


def connect_read_only(self):
    check = CHECKS.get(self.vendor)
    if not check:
        raise NotReadOnly("kdj cannot make the database `%s` read-only: it is of the kind %s" % (self.alias, self.vendor))
    if self.vendor == "postgresql" and self.alias not in refused:
        prepare_postgresql(self)
    try:
        connect(self)
    except Exception as e:
        if self.vendor != "postgresql" or self.alias in refused or not re.search(REFUSED, str(e)):
            raise
        # A replica is read-only without it.
        refused[self.alias] = "a pooler in between refuses startup options (PgBouncer: ignore_startup_parameters)"
        options = self.settings_dict["OPTIONS"]
        options.pop("options") if unset[self.alias] is None else options.update(options=unset[self.alias])
        connect(self)
    try:
        problem = check(self)
    except BaseException:
        self.close()
        raise
    if problem:
        self.close()
        raise NotReadOnly("the database `%s` cannot be made read-only: %s%s" % (self.alias, problem, HINT))


def forget_pool(connection):
    if connection.alias in getattr(connection, "_connection_pools", ()):
        connection.close_pool()


def make_read_only():
    alias = PARAMETERS["alias"]
    if alias and alias not in connections:
        sys.stderr.write("error: the settings have no database `%s`, the read_only_alias of kdj.toml, only %s\n" % (alias, ", ".join(sorted(connections))))
        sys.exit(125)
    made = [name for name in connections if hasattr(connections._connections, name)]
    # What was opened while the app was set up. The driver of another may be missing; it is asked when it connects.
    for name in made:
        connections[name].close()
        forget_pool(connections[name])
    if alias and alias != "default":
        values = connections.databases["default"]
        found = connections[alias].settings_dict
        if "default" in made:
            del connections["default"]
        values.clear()
        values.update(found, OPTIONS=dict(found["OPTIONS"]))
    BaseDatabaseWrapper.connect = connect_read_only


make_read_only()
