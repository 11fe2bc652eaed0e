# Writes a dump of a database to stdout, by its own program. PARAMETERS: `dump`, of each kind of database the programs and their
# options. When stdin ends, nobody wants it any more.
def make_dump(found):
    wanted = PARAMETERS["dump"].get(found["vendor"])
    if not wanted:
        raise Problem("vendor", "kdj knows no dump of %s" % found["vendor"])
    program = find_program(*wanted["programs"])
    client = make_client(found)
    options = [option.replace("{name}", found["name"] or "") for option in wanted["options"]]
    # Of psql's words none are its; MySQL's say where the database is, and its name stands last.
    place = [] if found["vendor"] == "postgresql" else [word for word in client["words"][1:] if not word.startswith("--database=")]
    words = [program] + place + options + ([] if found["vendor"] == "postgresql" else [found["name"] or ""])
    return dict(client, words=words, rc=None, check=None, first=None)


def watch(child):
    while os.read(0, 65536):
        pass
    end(child)


try:
    dump = make_dump(find_database(load_settings()))
except Problem as e:
    sys.stderr.write("\nkdj-problem: %s\n" % json.dumps({"kind": e.kind, "message": str(e)}))
    sys.exit(PARAMETERS["problem_code"])
run(dump, subprocess.DEVNULL, watch)
