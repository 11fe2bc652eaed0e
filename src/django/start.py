import os, sys
# Started by kdj: argv is MODE WORKDIR TERM COUNT, COUNT words that start manage.py, the command's own words.
def fail(message, code=127):
    sys.stderr.write("error: %s\n" % message)
    sys.exit(code)
if sys.version_info < (3, 6):
    fail("no Python 3.6 or later in this container: `%s` is %s" % (sys.executable, sys.version.split()[0]))
from glob import glob
mode, workdir, term, count = sys.argv[1:5]
words = sys.argv[5:]
manage, command = words[:int(count)], words[int(count):]
# The app's own environment: its entrypoint may have added secrets that exec does not see. PID 1 has it, or what that
# started; where the pod's containers share their processes, the first of this one.
own = b"TERM PWD OLDPWD SHLVL _ HOME COLUMNS LINES RUN_MAIN".split()
more = {}
pids = sorted(int(p) for p in os.listdir("/proc") if p.isdigit()) if os.path.isdir("/proc") else []
if "KDJ_SESSION" in os.environ:
    # Started by a session's holder, which has it already.
    pids = []
below = 0
while pids and below < 4 and not more:
    pid = pids.pop(0)
    try:
        if pid in (os.getpid(), os.getppid()) or os.readlink("/proc/%s/ns/mnt" % pid) != os.readlink("/proc/self/ns/mnt"):
            continue
        with open("/proc/%s/environ" % pid, "rb") as f:
            env = [v.split(b"=", 1) for v in f.read().split(b"\0") if b"=" in v]
        pids = []
        more = {k: v for k, v in env if k not in own and os.environb.get(k) != v}
        with open("/proc/%s/task/%s/children" % (pid, pid)) as f:
            pids = [int(p) for p in f.read().split()[:1]]
        below += 1
    except OSError:
        pass
os.environb.update(more)
if term:
    os.environ["TERM"] = term
try:
    if workdir:
        os.chdir(workdir)
    python = sys.executable
    if b"PATH" in more or b"VIRTUAL_ENV" in more:
        # The entrypoint activated a virtualenv.
        from shutil import which
        from subprocess import DEVNULL, call
        venv = os.environ.get("VIRTUAL_ENV")
        for found in filter(None, [venv and which(venv + "/bin/python"), which("python3"), which("python")]):
            if os.path.dirname(found) == os.path.dirname(python):
                break
            if call([found, "-c", "import django.contrib"], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL) == 0:
                python = found
                break
    hint = "\n\nhint: tell kdj.toml where it is: [django] workdir = \"/app\", manage = [\"python\", \"manage.py\"]"
    if not manage:
        for place in ["", "/app/", "/code/", "/src/", "/srv/", "/srv/app/", "/usr/src/app/", "/opt/app/", "/workspace/"]:
            found = glob(place + "manage.py") or sorted(glob(place + "*/manage.py"))
            if found:
                break
        if len(found) > 1:
            fail("several manage.py in %s: %s%s" % (place or os.getcwd(), ", ".join(found), hint))
        if found:
            os.chdir(os.path.dirname(found[0]) or ".")
            manage = [python, "manage.py"]
        elif "DJANGO_SETTINGS_MODULE" in os.environ:
            manage = [python, "-m", "django"]
        else:
            fail("no manage.py in %s, and DJANGO_SETTINGS_MODULE is not set%s" % (os.getcwd(), hint))
    if mode == "console":
        code, command = command[0], ["shell"]
        # Goes between python and manage.py; another program in their place gets no code.
        script = [i for i, word in enumerate(manage) if word == "-m" or word.endswith(".py")]
        if script and script[0] and os.path.basename(manage[script[0] - 1]).startswith("python"):
            manage[script[0]:script[0]] = ["-c", code]
    if mode != "stdin":
        os.execvp(manage[0], manage + command)
except OSError as e:
    fail("cannot start `%s`: %s" % (" ".join(manage) or workdir, e), 126 + isinstance(e, FileNotFoundError))
exec(command[0])
