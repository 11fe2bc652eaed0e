# Asks the app's Celery: how much waits in its broker's queues, and what its workers do. settings.py stands before it.
# PARAMETERS: `app` and `queues` as the workers' command lines name them, `hosts` whose workers are waited for, `limit` in
# seconds for an answer, and what to have done first: `stop` are hosts whose workers stop consuming, `start` are
# [worker, queues] that consume again.
import threading, time
# As many tasks are named of a worker; all are counted.
NAMED = 50
# For so many seconds a connection to the broker is waited for.
PATIENCE = 3


def words_here():
    # What processes of this container say of the app and its queues: it may be a worker's.
    apps, queues = [], []
    for pid in os.listdir("/proc") if os.path.isdir("/proc") else ():
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                text = f.read().decode("utf-8", "replace").replace("\0", " ")
        except OSError:
            continue
        if pid.isdigit() and "celery" in text:
            # Its title may be all of it: [celeryd: celery@host:MainProcess] -active- (-A shop worker)
            apps += re.findall(r"(?:\s|\()(?:-A\s*|--app[=\s]\s*)([\w.:]+)", text)
            queues += [name for names in re.findall(r"\s(?:-Q\s*|--queues[=\s]\s*)([^\s)]+)", text) for name in names.split(",")]
    return apps, queues


def packages():
    # Where a project keeps it: beside the settings, or beside what they name.
    from django.conf import settings
    for find in lambda: os.environ.get("DJANGO_SETTINGS_MODULE"), lambda: settings.ROOT_URLCONF, lambda: settings.WSGI_APPLICATION:
        words = str(find() or "").split(".")
        for count in range(len(words) - 1, 0, -1):
            yield ".".join(words[:count])


def find_celery(named):
    from celery import Celery
    from celery.app.utils import find_app
    why = None
    for name in named:
        try:
            return find_app(name)
        except Exception as e:
            why = why or "%s: %s" % (type(e).__name__, e)
    for name in packages():
        # The name's own parts alone may be missing; what is missing in them is an error.
        for module in name + ".celery", name + ".celery_app", name:
            try:
                found = find_app(module)
                if isinstance(found, Celery):
                    return found
            except (AttributeError, ValueError):
                continue
            except ImportError as e:
                if not (e.name and (module + ".").startswith(e.name + ".")):
                    raise Problem("settings", "%s: %s" % (type(e).__name__, e))
    raise Problem("no-celery", why or "no Celery app was found beside the settings")


def load_celery():
    # With all of the project's libraries, but without Django's setup. What the project prints goes to stderr.
    global stage
    stage = globals().get("stage")
    stdout, sys.stdout = sys.stdout, sys.stderr
    try:
        if stage != "shell":
            enter_project(False)
        try:
            import celery
        except ImportError:
            raise Problem("no-celery", "the image has no Celery")
        apps, queues = words_here()
        named = [PARAMETERS["app"]] + apps + [os.environ.get("CELERY_APP")]
        return find_celery([name for name in named if name]), queues
    except Problem:
        raise
    except (Exception, SystemExit) as e:
        raise Problem("settings", "%s: %s" % (type(e).__name__, e))
    finally:
        sys.stdout = stdout


def routed(routes):
    # The queues that the settings send tasks to.
    if isinstance(routes, dict):
        queue = routes.get("queue")
        name = getattr(queue, "name", queue)
        return [name] if isinstance(name, str) else [found for value in routes.values() for found in routed(value)]
    return [found for value in routes for found in routed(value)] if isinstance(routes, (list, tuple)) else []


class Answered(Exception):
    pass


class Workers:
    def __init__(self, app, connection):
        self.app, self.connection, self.names = app, connection, None

    def call(self, command, destination=None, wait_for=None, **arguments):
        # {worker: answer}. Each answer is waited for `limit` seconds, or until all that are known have given theirs.
        answers = {}

        def heard(answer):
            answers.update(answer)
            if wait_for and all(any(is_of(worker, host) for worker in answers) for host in wait_for):
                raise Answered()
        known = destination or self.names
        try:
            self.app.control.broadcast(
                command, arguments, destination=destination, connection=self.connection, reply=True,
                timeout=PARAMETERS["limit"], limit=len(known) if known else None, callback=heard)
        except Answered:
            pass
        return {worker: answer for worker, answer in answers.items() if isinstance(answer, (dict, list)) and "error" not in answer}

    def find(self):
        answers = self.call("stats", wait_for=PARAMETERS["hosts"])
        self.names = sorted(answers)
        return answers


def is_of(worker, host):
    # `celery@web-1`, also with the domain.
    return worker.partition("@")[2].split(".")[0] == host.split(".")[0]


def consume(workers, answers):
    # Which queues which workers stopped to consume, or consume again.
    done = []
    for worker, queues in PARAMETERS["start"]:
        done.append([worker, [queue for queue in queues if workers.call("add_consumer", [worker], queue=queue)]])
    stopped = [worker for worker in sorted(answers) if any(is_of(worker, host) for host in PARAMETERS["stop"])]
    if stopped:
        consumed = workers.call("active_queues", stopped)
        for worker in sorted(consumed):
            names = [queue["name"] for queue in consumed[worker]]
            done.append([worker, [name for name in names if workers.call("cancel_consumer", [worker], queue=name)]])
    return done


def task(info, now):
    # No arguments: they may be anything.
    request = info.get("request") or info
    start = request.get("time_start")
    # Old versions count from the start of their machine.
    seconds = max(now - start, 0) if isinstance(start, (int, float)) and start > 1e9 else None
    eta = info.get("eta")
    return {"id": str(request.get("id")), "name": str(request.get("name") or request.get("type")), "seconds": seconds, "eta": eta and str(eta)}


def tasks(infos):
    now = time.time()
    found = sorted((task(info, now) for info in infos), key=lambda one: -(one["seconds"] or 0))
    return {"count": len(found), "tasks": found[:NAMED]}


def describe_workers(workers, stats):
    if not stats:
        return []
    states = {name: workers.call(name) for name in ("active", "reserved", "scheduled", "active_queues")}
    found = []
    for worker in sorted(stats):
        said = stats[worker]
        of = lambda name: states[name].get(worker)
        found.append({
            "name": worker,
            "queues": None if of("active_queues") is None else sorted(queue["name"] for queue in of("active_queues")),
            "concurrency": (said.get("pool") or {}).get("max-concurrency"),
            "prefetch": said.get("prefetch_count"),
            "active": None if of("active") is None else tasks(of("active")),
            "reserved": None if of("reserved") is None else tasks(of("reserved")),
            "scheduled": None if of("scheduled") is None else tasks(of("scheduled")),
        })
    return found


def length(connection, name):
    # A queue that nobody has used yet is not there.
    from kombu.transport.virtual import Channel
    channel = connection.default_channel
    virtual = isinstance(channel, Channel)
    if not virtual:
        # A queue that is not there ends the channel that asked for it.
        channel = connection.channel()
    try:
        return channel.queue_declare(queue=name, passive=True).message_count
    except Exception as e:
        if str(getattr(e, "reply_code", getattr(e, "code", None))) != "404":
            raise
        return 0
    finally:
        if not virtual:
            try:
                channel.close()
            except Exception:
                pass


def ask(app, queues, found):
    # What is known stands in `found` at once: a broker may stop answering at any time.
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)
        found["reached"] = True
        names = PARAMETERS["queues"] + queues + list(app.amqp.queues) + routed(app.conf.task_routes)
        channel = connection.default_channel
        if connection.transport.driver_type == "redis":
            found["unacknowledged"] = channel.client.hlen(channel.unacked_key)
        if connection.supports_exchange_type("fanout"):
            workers = Workers(app, connection)
            stats = workers.find()
            if PARAMETERS["stop"] or PARAMETERS["start"]:
                found["consumers"] = consume(workers, stats)
            found["workers"] = describe_workers(workers, stats)
            names += [name for worker in found["workers"] for name in worker["queues"] or ()]
        found["queues"] = []
        for name in sorted(set(names)):
            try:
                waiting = length(connection, name)
            except Exception as e:
                if not isinstance(e, connection.channel_errors):
                    raise
                waiting = None
            found["queues"].append({"name": name, "waiting": waiting})


def answer():
    try:
        app, queues = load_celery()
        connection = app.connection_for_write()
        password = connection.password
        place = re.sub(r"//[^/]*@|\?.*", lambda found: found.group()[:2] if found.group()[0] == "/" else "", connection.as_uri())
        found = {"app": app.main, "broker": {"kind": connection.transport.driver_type, "place": place}, "reached": False, "queues": None, "unacknowledged": None, "workers": None, "consumers": [], "problem": None}
    except Problem as e:
        return {"error": {"kind": e.kind, "message": without_passwords(e, []).strip()}}
    except Exception as e:
        return {"error": {"kind": "settings", "message": without_passwords("%s: %s" % (type(e).__name__, e), [])}}

    def run():
        try:
            ask(app, queues, found)
        except Exception as e:
            found["problem"] = without_passwords("%s: %s" % (type(e).__name__, e), [password]).strip()
    asking = threading.Thread(target=run, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if found["reached"]:
        asking.join(8 * PARAMETERS["limit"])
    if asking.is_alive():
        found = dict(found, problem="it stopped answering" if found["reached"] else "no connection within %d s" % PATIENCE)
    return found


sys.stdout.write("\nkdj-celery: %s\n" % json.dumps(answer(), default=str))
sys.stdout.flush()
# Whatever still waits for the broker.
os._exit(0)
