# Prints how to reach a database, as one line of JSON.
def describe():
    try:
        found = find_connection(load_settings(), PARAMETERS["database"])
    except Problem as e:
        return {"error": {"kind": e.kind, "message": str(e)}}
    from shutil import which
    programs = {"postgresql": ["psql"], "mysql": ["mariadb", "mysql"], "sqlite": ["sqlite3"]}.get(found["vendor"], [])
    found["client"] = ([program for program in programs if which(program)] + [None])[0]
    if not PARAMETERS["password"]:
        del found["password"]
    return found


sys.stdout.write("\nkdj-connection: %s\n" % json.dumps(describe()))
sys.stdout.flush()
