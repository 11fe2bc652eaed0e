# After read_only.py: opens Django's console, once the database has shown that it is read-only. PARAMETERS: `rich`.
def open_console():
    from django.core import management
    connection = connections["default"]
    try:
        connection.ensure_connection()
    except NotReadOnly as e:
        sys.stderr.write("error: %s\n" % e)
        sys.exit(125)
    except Exception as e:
        text = without_passwords("%s: %s" % (type(e).__name__, e), [connection.settings_dict.get("PASSWORD")])
        sys.stderr.write("warning: cannot connect to the database `default` now; whether it is read-only is asked when it can be: %s\n" % text.strip())
    sys.argv[1:] = ["shell"]
    if not PARAMETERS["rich"]:
        management.call_command("shell", interface="python")
    else:
        management.call_command("shell_plus" if "shell_plus" in management.get_commands() else "shell")


open_console()
