import os, runpy, sys
# Runs manage.py, with `shell` being `shell_plus` where an installed app has that. Only Django knows, once it is set up.
script = sys.argv[1]
if script != "-m" and sys.path[0] == "":
    sys.path[0] = os.path.dirname(os.path.abspath(script))
try:
    from django.core import management
    fetch = management.ManagementUtility.fetch_command
    management.ManagementUtility.fetch_command = lambda self, name: fetch(self, "shell_plus" if name == "shell" and "shell_plus" in management.get_commands() else name)
except ImportError:
    pass
if script == "-m":
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    del sys.argv[0]
    runpy.run_path(script, run_name="__main__")
