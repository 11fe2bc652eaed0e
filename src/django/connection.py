# How to reach a database of the settings, in the words of its own client.
VENDORS = [("postgresql", "postg|psycopg|cockroach"), ("mysql", "mysql|mariadb"), ("sqlite", "sqlite|spatialite"), ("oracle", "oracle")]
# Of OPTIONS, what says how to connect and is no secret.
OPTIONS = {
    "postgresql": "service passfile options sslmode sslrootcert sslcert sslkey sslcrl sslnegotiation ssl_min_protocol_version channel_binding "
                  "connect_timeout target_session_attrs gssencmode krbsrvname hostaddr load_balance_hosts require_auth client_encoding".split(),
    "mysql": "charset unix_socket read_default_file read_default_group ssl_mode ssl connect_timeout".split(),
}
PORTS = {"postgresql": "5432", "mysql": "3306"}
# Of MySQL's `ssl`, by the client's names.
SSL = "ca capath cert cipher key".split()


def read_conninfo(text):
    # A name may be a whole connection string, as libpq has it.
    if "://" not in text:
        words = re.findall(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)*)", text)
        return {key: re.sub(r"\\(.)", r"\1", value[1:-1] if value[:1] == "'" else value) for key, value in words}
    from urllib.parse import parse_qsl, unquote
    place, _, query = text.partition("://")[2].partition("?")
    place, _, name = place.partition("/")
    who, _, hosts = place.rpartition("@")
    user, _, password = who.partition(":")
    hosts = [re.match(r"\[?([^\]]*?)\]?(?::(\d*))?$", host).groups() for host in hosts.split(",")]
    found = {"user": unquote(user), "password": unquote(password), "dbname": unquote(name)}
    found["host"] = unquote(",".join(host for host, _ in hosts))
    found["port"] = ",".join(port or "" for _, port in hosts).strip(",")
    found.update(parse_qsl(query))
    return {key: value for key, value in found.items() if value}


def find_vendor(engine):
    for vendor, pattern in VENDORS:
        if re.search(pattern, engine):
            return vendor
    return import_module(engine + ".base").DatabaseWrapper.vendor


def from_backend(alias):
    # A backend of the project's own may know more than the settings: a password that is made anew each time.
    from django.db import connections
    found = connections[alias].get_connection_params()
    return {key: found[key] for key in ("host", "port", "user", "password", "passwd", "dbname", "database", "db") if found.get(key)}


def find_connection(settings, alias):
    # The password is in it, under that name.
    databases = getattr(settings, "DATABASES", None) or {}
    if alias not in databases:
        raise Problem("unknown-database", "the settings have no database `%s`, only %s" % (alias, ", ".join(sorted(map(str, databases))) or "none"))
    values = databases[alias]
    engine = str(values.get("ENGINE") or "")
    if not engine or engine == "django.db.backends.dummy":
        raise Problem("unknown-database", "the settings' database `%s` has no ENGINE" % alias)
    options = dict(values.get("OPTIONS") or {})
    try:
        vendor = find_vendor(engine)
        own = re.match(r"django\.(contrib\.gis\.)?db\.backends\.\w+$", engine)
        more = {} if own else from_backend(alias)
    except Exception as e:
        raise Problem("settings", "%s: %s" % (type(e).__name__, without_passwords(e, [values.get("PASSWORD")])))
    name = str(values.get("NAME") or "")
    found = {"host": values.get("HOST"), "port": values.get("PORT"), "user": values.get("USER"), "password": values.get("PASSWORD")}
    if vendor == "postgresql" and re.search("://|=", name):
        found.update(read_conninfo(name))
        options.update((key, value) for key, value in found.items() if key in OPTIONS[vendor])
        name = found.get("dbname", "")
    # In OPTIONS they count more; mysqlclient has names of its own.
    for key, names in ("host", ["host"]), ("port", ["port"]), ("user", ["user"]), ("password", ["passwd", "password"]), ("name", ["db", "database", "dbname"]):
        for values in options, more:
            for word in names:
                if values.get(word):
                    if key == "name":
                        name = str(values[word])
                    else:
                        found[key] = values[word]
    if vendor == "mysql" and str(found["host"] or "").startswith("/"):
        options.setdefault("unix_socket", found.pop("host"))
    if vendor == "mysql" and isinstance(options.get("ssl"), dict):
        options.update(("ssl_" + key, options["ssl"][key]) for key in SSL if options["ssl"].get(key))
        del options["ssl"]
    known = OPTIONS.get(vendor, []) + ["ssl_" + key for key in SSL]
    return {
        "alias": alias, "vendor": vendor, "name": name or None,
        "host": str(found.get("host") or "") or None, "port": str(found.get("port") or PORTS.get(vendor, "")) or None,
        "user": str(found.get("user") or "") or None, "password": str(found.get("password") or "") or None,
        "options": {key: str(value) for key, value in options.items() if key in known and value is not None},
    }
