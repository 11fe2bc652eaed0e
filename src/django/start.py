import os, re, sys
from glob import glob
from importlib import import_module, util
# Started by kdj: argv is MODE WORKDIR TERM COUNT, COUNT words that start manage.py, the command's own words.
mode, workdir, term, count = sys.argv[1:5]
words = sys.argv[5:]
manage, command = words[:int(count)], words[int(count):]
# The app's own environment: its entrypoint may have added secrets that exec does not see.
own = b"TERM PWD OLDPWD SHLVL _ HOME COLUMNS LINES".split()
pid = "1"
for _ in range(4):
    try:
        if os.readlink("/proc/%s/ns/mnt" % pid) != os.readlink("/proc/self/ns/mnt"):
            break
        with open("/proc/%s/environ" % pid, "rb") as f:
            env = [v.split(b"=", 1) for v in f.read().split(b"\0") if b"=" in v]
        more = {k: v for k, v in env if k not in own and os.environb.get(k) != v}
        if more:
            os.environb.update(more)
            break
        with open("/proc/%s/task/%s/children" % (pid, pid)) as f:
            pid = f.read().split()[0]
    except (OSError, IndexError):
        break
if term:
    os.environ["TERM"] = term
try:
    if workdir:
        os.chdir(workdir)
    if not manage:
        places = ["", "/app/", "/code/", "/src/", "/srv/", "/srv/app/", "/usr/src/app/", "/opt/app/", "/workspace/"]
        found = [f for p in places for f in glob(p + "manage.py") + glob(p + "*/manage.py")]
        if found:
            os.chdir(os.path.dirname(found[0]) or ".")
            manage = [sys.executable, "manage.py"]
        elif "DJANGO_SETTINGS_MODULE" in os.environ:
            manage = [sys.executable, "-m", "django"]
        else:
            sys.exit(print("error: no manage.py in %s, and DJANGO_SETTINGS_MODULE is not set\n\nhint: tell kdj.toml where it is: [django] workdir = \"/app\", manage = [\"python\", \"manage.py\"]" % os.getcwd(), file=sys.stderr) or 127)
    if mode == "console":
        command = ["shell"]
        if util.find_spec("django_extensions"):
            try:
                sys.path.insert(0, "")
                text = open("manage.py").read() if os.path.exists("manage.py") else ""
                default = re.search(r"DJANGO_SETTINGS_MODULE\W+([\w.]+)", text)
                settings = import_module(os.environ.get("DJANGO_SETTINGS_MODULE") or default.group(1))
                if "django_extensions" in settings.INSTALLED_APPS:
                    command = ["shell_plus"]
            except Exception:
                pass
    os.execvp(manage[0], manage + command)
except OSError as e:
    sys.exit(print("error: cannot start `%s`: %s" % (" ".join(manage) or workdir, e), file=sys.stderr) or 126 + isinstance(e, FileNotFoundError))
