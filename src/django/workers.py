import time
# What Celery's workers do, and what they are told. Stands before celery.py, which says what the parameters are.
# As many tasks are named of a worker; all are counted.
NAMED = 50


class Answered(Exception):
    pass


class Workers:
    def __init__(self, app, connection):
        self.app, self.connection, self.names = app, connection, None

    def call(self, command, destination=None, wait_for=None, **arguments):
        # {worker: answer}. Who is known and silent is asked once more: a worker whose answer nobody waited for any longer sets
        # up its mailbox anew, and hears nothing meanwhile.
        known = destination or self.names
        answers = self.once(command, destination, known, wait_for, arguments)
        silent = [worker for worker in known or () if worker not in answers]
        if silent or (not known and missing(wait_for, answers)):
            answers.update(self.once(command, silent or None, silent, wait_for, arguments))
        return {worker: answer for worker, answer in answers.items() if isinstance(answer, (dict, list)) and "error" not in answer}

    def once(self, command, destination, known, wait_for, arguments):
        # An answer is waited for until all that are known have given theirs, or the time is up: of a busy node it takes long.
        answers = {}

        def heard(answer):
            answers.update(answer)
            if all(worker in answers for worker in known) if known else wait_for and not missing(wait_for, answers):
                raise Answered()
        try:
            self.app.control.broadcast(
                command, arguments, destination=destination, connection=self.connection, reply=True,
                timeout=PARAMETERS["patience" if known or wait_for else "limit"], callback=heard)
        except Answered:
            pass
        return answers

    def find(self):
        answers = self.call("stats", wait_for=PARAMETERS["hosts"])
        self.names = sorted(answers)
        return answers


def missing(hosts, answers):
    return [host for host in hosts or () if not any(is_of(worker, host) for worker in answers)]


def is_of(worker, host):
    # `celery@web-1`, also with the domain.
    return worker.partition("@")[2].split(".")[0] == host.split(".")[0]


def order(workers, command, wanted):
    # Each queue in one message to all of them. Who obeyed in what: {worker: queues}.
    done = {worker: [] for worker in wanted}
    for queue in sorted({queue for queues in wanted.values() for queue in queues}):
        told = [worker for worker in sorted(wanted) if queue in wanted[worker]]
        for worker in workers.call(command, told, queue=queue):
            if worker in done:
                done[worker].append(queue)
    return done


def consume(workers, answers):
    # Which workers stopped to consume which queues, or consume them again. Who still consumes one has not stopped.
    done = order(workers, "add_consumer", dict(PARAMETERS["start"]))
    stopped = [worker for worker in sorted(answers) if any(is_of(worker, host) for host in PARAMETERS["stop"])]
    if stopped:
        consumed = {worker: [queue["name"] for queue in queues] for worker, queues in workers.call("active_queues", stopped).items()}
        obeyed = order(workers, "cancel_consumer", consumed)
        done.update((worker, queues) for worker, queues in obeyed.items() if len(queues) == len(set(consumed[worker])))
    return sorted(done.items())


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
    # A worker of the pool `solo` takes two seconds for an answer: who wants to know only that they answer waits for one.
    asked = () if PARAMETERS["brief"] else ("active", "reserved", "scheduled", "active_queues")
    states = {name: workers.call(name) for name in asked}
    found = []
    for worker in sorted(stats):
        said = stats[worker]
        of = lambda name: states.get(name, {}).get(worker)
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
