# Prints where the settings use a Redis, as a line of JSON; the passwords if asked for.
def describe_all():
    try:
        found = find_all(load_settings())
    except Problem as e:
        return {"error": str(e)}
    if not PARAMETERS["with_password"]:
        for fact in found:
            fact["password"] = None
    return {"found": found}


sys.stdout.write("\nkdj-redis: %s\n" % json.dumps(describe_all()))
sys.stdout.flush()
