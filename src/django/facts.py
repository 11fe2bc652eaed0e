# Prints how to reach a database, as one line of JSON.
def describe():
    try:
        found = find_connection(load_settings(), PARAMETERS["database"])
    except Problem as e:
        return {"error": {"kind": e.kind, "message": str(e)}}
    if not PARAMETERS["password"]:
        del found["password"]
    return found


sys.stdout.write("\nkdj-connection: %s\n" % json.dumps(describe()))
sys.stdout.flush()
