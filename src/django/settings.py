import json, os, sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
# Loads the app's settings as manage.py would, but without Django's setup: no app is loaded. Stands before connection.py.
# Runs in start.py, whose `manage` are the words that start manage.py, and whose `code` is all of this.


class Problem(Exception):
    # What is told instead of facts.
    def __init__(self, kind, message):
        Exception.__init__(self, message)
        self.kind = kind


# Libraries that take long to load and say nothing about a database.
SLOW = "amqp billiard celery ddtrace kombu newrelic opentelemetry sentry_sdk".split()


class Anything:
    # Stands for whatever such a library has.
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return self

    __getitem__ = __enter__ = __or__ = __ror__ = __call__

    def __exit__(self, *args):
        pass

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        return iter(())

    def __mro_entries__(self, bases):
        return ()


class StandIns:
    # Finds the slow libraries, where they are installed, as empty shells.
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in SLOW and ("." in name or PathFinder.find_spec(name)):
            return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        class StandIn(type(sys)):
            def __getattr__(self, name):
                return getattr(Anything(), name)
        return StandIn(spec.name)

    def exec_module(self, module):
        module.__dict__.setdefault("__path__", [])


class Reached(BaseException):
    # manage.py has come to the point where it hands over to Django.
    pass


def run_manage(script, arguments):
    # manage.py prepares the path and the environment, and names the settings; Django's part in it is left out.
    import runpy
    import django.core

    class Management(type(sys)):
        def __getattr__(self, name):
            if name not in ("ManagementUtility", "call_command", "execute_from_command_line"):
                raise AttributeError(name)

            def reached(*args, **kwargs):
                raise Reached()
            return reached

    name = "django.core.management"
    stand_in = Management(name)
    stand_in.__path__ = [os.path.join(os.path.dirname(django.core.__file__), "management")]
    sys.modules[name] = stand_in
    sys.argv = [script] + arguments + ["dbshell"]
    try:
        runpy.run_path(script, run_name="__main__")
    except Reached:
        pass
    finally:
        for known in [known for known in sys.modules if known == name or known.startswith(name + ".")]:
            del sys.modules[known]


def start_again(words, how):
    # In another Python, or in this one anew: the code goes there through a pipe, stdin stays where it is.
    here, there = os.pipe()
    if os.fork() == 0:
        with os.fdopen(there, "wb") as f:
            f.write(code)
        os._exit(0)
    os.close(there)
    os.set_inheritable(here, True)
    boot = "import os\ncode = os.fdopen(%d, 'rb').read()\nexec(compile(code, '<kdj>', 'exec'), {'stage': %r, 'manage': %r, 'code': code})"
    os.execvp(words[0], words + [boot % (here, how, manage)])


def enter_project(quick):
    # Everything up to the import of the settings. Who asks something there gets no answer: stdin is kdj's, and does not end.
    sys.stdin = open(os.devnull)
    place = [i for i, word in enumerate(manage) if word == "-m" or word.endswith(".py")]
    place = place[0] if place else 0
    before, script, rest = manage[:place], manage[place], manage[place + 1:]
    module = rest.pop(0) if script == "-m" and rest else None
    if not before or module not in (None, "django"):
        # Some other program: only Django itself can be asked there.
        start_again(manage + ["shell", "-v", "0", "-c"], "shell")
    if stage is None:
        from shutil import which
        program = which(before[0]) or before[0]
        own = len(before) == 1 and os.path.basename(program).startswith("python")
        if not own or os.path.dirname(program) != os.path.dirname(sys.executable):
            start_again(before + ["-c"], "python")
    for word, following in zip(rest, rest[1:] + [""]):
        if word.startswith("--settings"):
            os.environ["DJANGO_SETTINGS_MODULE"] = word.partition("=")[2] or following
    if quick:
        sys.meta_path.insert(0, StandIns())
    sys.path[0] = os.getcwd() if module else os.path.dirname(os.path.abspath(script))
    if not module:
        run_manage(script, rest)


def read_settings():
    name = os.environ.get("DJANGO_SETTINGS_MODULE")
    if stage != "shell" and not name:
        raise Problem("settings", "neither manage.py nor the environment sets DJANGO_SETTINGS_MODULE")
    module = import_module(name) if stage != "shell" else None
    # Who has it may have changed what it says.
    conf = sys.modules.get("django.conf")
    if not conf:
        return module
    conf.settings.DATABASES
    return conf.settings


def load_settings():
    # What has `DATABASES` and the others as attributes. What the project prints meanwhile goes to stderr.
    global stage
    stage = globals().get("stage")
    quick = stage in (None, "python")
    stdout, sys.stdout = sys.stdout, sys.stderr
    try:
        if stage != "shell":
            enter_project(quick)
        return read_settings()
    except Problem:
        raise
    except (Exception, SystemExit) as e:
        if quick and any(name in sys.modules for name in SLOW):
            # It may be for want of a library that was left out.
            start_again([sys.executable, "-c"], "whole")
        raise Problem("settings", "%s: %s" % (type(e).__name__, without_passwords(e, ())))
    finally:
        if quick:
            sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, StandIns)]
        sys.stdout = stdout
