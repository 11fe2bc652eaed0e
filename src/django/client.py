# What Django's `dbshell` would run: a client, its words and its environment. No password stands in the words.
POSTGRESQL = {
    "service": "PGSERVICE", "passfile": "PGPASSFILE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY", "sslcrl": "PGSSLCRL", "sslnegotiation": "PGSSLNEGOTIATION", "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "channel_binding": "PGCHANNELBINDING", "connect_timeout": "PGCONNECT_TIMEOUT", "target_session_attrs": "PGTARGETSESSIONATTRS",
    "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME", "hostaddr": "PGHOSTADDR", "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "require_auth": "PGREQUIREAUTH", "client_encoding": "PGCLIENTENCODING",
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "name": "PGDATABASE", "password": "PGPASSWORD",
}
# MariaDB has an older name for it, and reads neither this comment of MySQL's nor lets that read its own.
MYSQL_READ_ONLY = "/*M!100000 tx_read_only%s*//*!50720 transaction_read_only%s*/"


def find_program(*names):
    from shutil import which
    for name in names:
        if which(name):
            return which(name)
    raise Problem("no-client", "the image has no `%s`" % names[-1])


def plain(text):
    # As a part of a prompt.
    return re.sub(r"[\s%\\'\"`:]", "_", text)


def prompt(database, more, red):
    # As psql has it: what is in `red` is not counted.
    place = "%s:%s" % (plain(PARAMETERS["environment"]), database)
    if PARAMETERS["colored"]:
        place = red % place
    return "%s (%s)%s " % (place, PARAMETERS["mode"], more)


def startup_options(options):
    # Those of the settings, and after them what makes the session read-only.
    wanted = []
    if PARAMETERS["read_only"]:
        wanted.append("default_transaction_read_only=on")
        if PARAMETERS["role"]:
            wanted.append("role=" + PARAMETERS["role"])
        if PARAMETERS["statement_timeout"]:
            wanted.append("statement_timeout=%d" % PARAMETERS["statement_timeout"])
    escaped = ["-c " + re.sub(r"([\\ ])", r"\\\1", setting) for setting in wanted]
    return " ".join(filter(None, [options] + escaped))


def mysql_limit():
    limit = PARAMETERS["statement_timeout"]
    return "/*M!100100 , max_statement_time=%s*//*!50720 , max_execution_time=%d*/" % (limit / 1000.0, limit) if limit else ""


def mysql_is_read_only():
    return (MYSQL_READ_ONLY % ("", "")).replace(" t", " @@session.t")


def service_with_options(service, options):
    # What a service's file says counts more than variables, and less than these words.
    values = [("service", service), ("application_name", PARAMETERS["application"])] + ([("options", options)] if options else [])
    return " ".join("%s='%s'" % (key, re.sub(r"([\\'])", r"\\\1", value)) for key, value in values)


def psql(found, history):
    env = {POSTGRESQL[key]: value for key, value in found["options"].items() if key in POSTGRESQL}
    env.update((POSTGRESQL[key], found[key]) for key in ("host", "port", "user", "name", "password") if found[key])
    service = found["options"].get("service")
    env["PGAPPNAME"] = PARAMETERS["application"]
    if "PGCONNECT_TIMEOUT" not in os.environ:
        env.setdefault("PGCONNECT_TIMEOUT", "15")
    env["PGOPTIONS"] = startup_options(found["options"].get("options") or os.environ.get("PGOPTIONS", ""))
    lines = []
    if history:
        own = os.environ.get("PSQLRC") or os.path.expanduser("~/.psqlrc")
        if os.path.isfile(own):
            lines.append("\\i '%s'" % own.replace("'", "''"))
        red = "%%[%%033[1;31m%%]%s%%[%%033[0m%%]"
        lines += ["\\set PROMPT%d '%s'" % (number, prompt("%/", "%R%x%#", red)) for number in (1, 2)]
        # It would cut the file to 500 lines.
        lines += ["\\set HISTSIZE -1", "\\set HISTFILE '%s'" % history]
        from shutil import which
        if not os.environ.get("PSQL_PAGER") and not os.environ.get("PAGER"):
            pager = which("less") and "less -FRSX" or which("more")
            lines.append("\\pset pager off" if not pager else "\\setenv PSQL_PAGER '%s'" % pager)
    words = [] if history else ["-v", "ON_ERROR_STOP=1", "-P", "pager=off"]
    conninfo = ["--dbname=" + service_with_options(service, env["PGOPTIONS"] if PARAMETERS["read_only"] else "")] if service else []
    return {"words": [find_program("psql")] + words, "conninfo": conninfo, "env": env, "rc": lines, "check": PARAMETERS["check"], "first": None}


def mysql(found, history):
    program = find_program("mariadb", "mysql")
    options = found["options"]
    words = ["--defaults-file=" + options["read_default_file"]] if "read_default_file" in options else []
    if "read_default_group" in options:
        words.append("--defaults-group-suffix=" + re.sub("^client", "", options["read_default_group"]))
    for key, flag in ("host", "host"), ("port", "port"), ("user", "user"), ("name", "database"):
        if found[key] and not (key in ("host", "port") and "unix_socket" in options):
            words.append("--%s=%s" % (flag, found[key]))
    for key in sorted(options):
        flag = {"unix_socket": "socket", "charset": "default-character-set"}.get(key, key.replace("_", "-"))
        if key not in ("read_default_file", "read_default_group") and not (key == "ssl_mode" and "maria" in program):
            words.append("--%s=%s" % (flag, options[key]))
    first = None
    if PARAMETERS["read_only"]:
        words.append("--init-command=SET SESSION " + MYSQL_READ_ONLY % ("=ON", "=ON") + mysql_limit())
        first = "DO (SELECT IF(%s = 1, 1, (SELECT 1 UNION SELECT 2)));\n" % mysql_is_read_only()
    env = {"MYSQL_PWD": found["password"]} if found["password"] else {}
    checking = [program] + words + ["--batch"]
    if history:
        env["MYSQL_HISTFILE"] = history
        words.append("--prompt=" + prompt("\\d", ">", "%s"))
    elif PARAMETERS["table"]:
        words.append("--table")
    return {"words": [program] + words, "env": env, "rc": None, "check": None, "first": first and [checking, first]}


def sqlite3(found, history):
    words = [find_program("sqlite3")] + (["-readonly"] if PARAMETERS["read_only"] else [])
    env = {}
    if history:
        name = plain(os.path.basename(found["name"] or ""))
        words += ["-cmd", ".prompt \"%s\" \"   ...> \"" % prompt(name, ">", "%s")]
        env["SQLITE_HISTORY"] = history
    else:
        words += ["-bail"] + (["-header", "-column"] if PARAMETERS["table"] else [])
    return {"words": words + [os.path.abspath(found["name"] or "")], "env": env, "rc": None, "check": None, "first": None}


def redis_cli(found, history):
    words = [find_program("redis-cli")]
    if "unix_socket" in found["options"]:
        words += ["-s", found["options"]["unix_socket"]]
    else:
        words += ["-h", found["host"], "-p", found["port"]]
    words += ["-n", found["name"]] + (["--user", found["user"]] if found["user"] else [])
    if "tls" in found["options"]:
        words += ["--tls", "--sni", found["host"]]
    env = {"REDISCLI_AUTH": found["password"]} if found["password"] else {}
    if history:
        env["REDISCLI_HISTFILE"] = history
    return {"words": words, "env": env, "rc": None, "check": None, "first": None}


def find_redis(settings, use):
    # Who cannot be served here is asked again, and told why.
    found = [fact for fact in find_all(settings) if not use or fact["use"] == use]
    servers = {(fact["host"], fact["port"], fact["socket"]) for fact in found}
    if len(servers) != 1 or PARAMETERS["read_only"]:
        raise Problem("redis", "not one Redis, or no read-only session")
    fact = found[0]
    options = {"unix_socket": fact["socket"]} if fact["socket"] else {}
    if fact["tls"]:
        options["tls"] = "yes"
    return {"alias": PARAMETERS["database"], "vendor": "redis", "name": str(fact["database"]), "host": fact["host"], "port": str(fact["port"]),
            "user": fact["user"], "password": fact["password"], "options": options}


def find_database(settings):
    # One of DATABASES, or else a Redis: `redis`, `redis:USE`.
    name = PARAMETERS["database"]
    kind, _, use = name.partition(":")
    if kind == "redis" and name not in settings.DATABASES:
        return find_redis(settings, use)
    return find_connection(settings, name)


def make_client(found, history=None):
    # `history` is where an interactive one keeps it.
    make = {"postgresql": psql, "mysql": mysql, "sqlite": sqlite3, "redis": redis_cli}.get(found["vendor"])
    if not make:
        raise Problem("no-client", "kdj knows no client of %s" % found["vendor"])
    client = make(found, history)
    client.update(database=PARAMETERS["database"], environment=PARAMETERS["environment"])
    return client


def describe(found):
    where = found["host"] or found["options"].get("service") or "the local socket"
    place = found["name"] or "the default database"
    if found["vendor"] == "redis":
        place = "database " + place
    if found["vendor"] != "sqlite":
        place = "%s at %s%s%s" % (place, where, ":" if found["port"] else "", found["port"] or "")
    return "%s: %s%s, %s" % (found["alias"], place, " as " + found["user"] if found["user"] else "", PARAMETERS["mode"])
