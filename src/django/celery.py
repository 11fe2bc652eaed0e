# Asks the app's Celery: how much waits in its broker's queues, and what its workers do. settings.py and
# workers.py stand before it.
# PARAMETERS: `app` and `queues` as the workers' command lines name them, `hosts` whose workers are waited for, `limit` in
# seconds for an answer, `patience` in seconds for that of a worker that is known, `brief` when only their
# names are wanted, and what to have done first: `stop` are hosts whose workers stop consuming, `start` are
# [worker, queues] that consume again.
import threading
# For so many seconds a connection to the broker is waited for.
PATIENCE = 3
# Whether workers are to do something, and are not only asked.
ORDERS = bool(PARAMETERS["stop"] or PARAMETERS["start"])


def passwords_in(addresses):
    # With the parts that a parser tells of, who takes the signs in a password for its own.
    from urllib.parse import unquote
    found = []
    for address in addresses:
        login = re.search(r"://[^:]*:(.*)@", str(address), re.S)
        if login:
            for part in [login.group(1)] + re.split(r"[:/@;,?#\[\]]", login.group(1)):
                found += [part, unquote(part)]
    return found


def describe_error(e, app=None):
    # What stands in the environment is known, also when no settings can be loaded.
    addresses = [value for value in os.environ.values() if "://" in value]
    passwords = []
    try:
        for name in "broker_url", "broker_read_url", "broker_write_url":
            value = app and app.conf.get(name)
            addresses += value if isinstance(value, (list, tuple)) else [value]
        passwords = [app and app.conf.get("broker_password")]
    except Exception:
        pass
    # The longest first: one may be a part of another.
    passwords = sorted(map(str, filter(None, passwords + passwords_in(addresses))), key=len, reverse=True)
    text = str(e) if isinstance(e, Problem) else "%s: %s" % (type(e).__name__, e)
    return without_passwords(text, passwords).strip()


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
        for module in name + ".celery", name + ".celery_app", name:
            try:
                import_module(module)
            except ModuleNotFoundError as e:
                # The name's own parts alone may be missing; what is missing in them is an error.
                if not (e.name and (module + ".").startswith(e.name + ".")):
                    raise
                continue
            try:
                found = find_app(module)
            except (AttributeError, ValueError):
                continue
            if isinstance(found, Celery):
                return found
    if why:
        # There is one, which cannot be loaded.
        raise Problem("settings", why)
    raise Problem("no-celery", "no Celery app was found beside the settings")


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
        except ModuleNotFoundError as e:
            if e.name != "celery":
                raise
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


def queue_of(route):
    # {"queue": "mails"}, or the queue's name alone.
    queue = route.get("queue") if isinstance(route, dict) else route
    name = getattr(queue, "name", queue)
    return [name] if isinstance(name, str) else []


def routed(routes):
    # The queues that the settings send tasks to: one map or several, of which each is a dict or has pairs.
    found = []
    for routes in routes if isinstance(routes, (list, tuple)) else [routes]:
        if isinstance(routes, (list, tuple)) and len(routes) == 2 and isinstance(routes[0], str):
            routes = [routes]
        pairs = routes.items() if isinstance(routes, dict) else routes if isinstance(routes, (list, tuple)) else ()
        for pair in pairs:
            if isinstance(pair, (list, tuple)) and len(pair) == 2:
                found += queue_of(pair[1])
    return found


def length(connection, name):
    # A queue that nobody has used yet is not there.
    from kombu.transport.virtual import Channel
    channel = connection.default_channel
    virtual = isinstance(channel, Channel)
    if virtual and type(channel)._has_queue is Channel._has_queue:
        # It cannot tell whether there is such a queue, and would make one: SQS does.
        return None
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
        if connection.supports_exchange_type("fanout"):
            workers = Workers(app, connection)
            if ORDERS:
                # Those that are to consume again are known by name.
                found["consumers"] = consume(workers, workers.find() if PARAMETERS["stop"] else {})
                return
            try:
                found["workers"] = describe_workers(workers, workers.find())
            except Exception as e:
                # Its user may not make the queue for answers.
                found["problem"] = describe_error(e, app)
        if ORDERS:
            return
        names += [name for worker in found["workers"] or () for name in worker["queues"] or ()]
        channel = connection.default_channel
        if connection.transport.driver_type == "redis":
            # Not by the channel's own connection, on which answers are waited for.
            with channel.conn_or_acquire() as client:
                found["unacknowledged"] = client.hlen(channel.unacked_key)
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
    app = None
    try:
        app, queues = load_celery()
        connection = app.connection_for_write()
        place = re.sub(r"//[^/]*@|\?.*", lambda found: found.group()[:2] if found.group()[0] == "/" else "", connection.as_uri())
        version = getattr(sys.modules.get("celery"), "__version__", None)
        found = {"app": app.main, "version": version, "broker": {"kind": connection.transport.driver_type, "place": place}, "reached": False, "queues": None, "unacknowledged": None, "workers": None, "consumers": None, "problem": None}
    except Exception as e:
        return {"error": {"kind": getattr(e, "kind", "settings"), "message": describe_error(e, app)}}

    def run():
        try:
            ask(app, queues, found)
        except Exception as e:
            found["problem"] = found["problem"] or describe_error(e, app)
    asking = threading.Thread(target=run, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if found["reached"]:
        # An order takes as many answers as there are queues.
        asking.join((17 if ORDERS else 8) * PARAMETERS["patience"])
    if asking.is_alive():
        found = dict(found, problem="it stopped answering" if found["reached"] else "no connection within %d s" % PATIENCE)
    return found


sys.stdout.write("\nkdj-celery: %s\n" % json.dumps(answer(), default=str))
sys.stdout.flush()
# Whatever still waits for the broker.
os._exit(0)
