# Runs the project's `migrate`, and says on lines of its own how it goes.
import random, signal, traceback
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

RETRIES = 10
begun = time.time()


class Lines:
    # The project's stdout, which remembers whether a line has been begun: Django leaves them open while it works.
    def __init__(self, stream):
        self.stream = stream
        self.fresh = True
        self.lock = threading.RLock()

    def write(self, text):
        with self.lock:
            if text:
                self.fresh = text.endswith("\n")
            return self.stream.write(text)

    def __getattr__(self, name):
        return getattr(self.stream, name)


class Refused(Exception):
    pass


class Terminated(KeyboardInterrupt):
    # psycopg cancels the query in the server on this one.
    pass


class Run:
    def __init__(self, connection):
        self.connection = connection
        self.postgres = connection.vendor == "postgresql"
        self.timeout = PARAMETERS["lock_timeout"] if self.postgres else 0
        self.places, self.applied, self.current = {}, [], None
        self.fence = self.watch = None
        if self.postgres:
            self.fence = Fence(connection)
            self.watch = Watch(connection, min(1.0, self.timeout / 2000 or 1.0))

    def start(self, executor, plan):
        migrations = [{"app": m.app_label, "name": m.name, "reversal": b, "atomic": bool(m.atomic)} for m, b in in_order(executor, plan)]
        for m in migrations:
            self.places.setdefault((m["app"], m["name"]), len(self.places) + 1)
        emit("started", version=1, database=describe_database(self.connection), lock_timeout=self.timeout, total=len(migrations), migrations=migrations)

    def settle(self, migration):
        # Within the migration's own transaction, so that a pooler can neither swallow nor keep it.
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, true), pg_backend_pid()", [("kdj migrate %s.%s" % (migration.app_label, migration.name))[:63]])
            pid = cursor.fetchone()[1]
            if self.timeout:
                cursor.execute("SET LOCAL lock_timeout = %d" % self.timeout)
                taken = show(cursor, "lock_timeout")
                if milliseconds(taken) != self.timeout:
                    raise Refused("lock_timeout was set to %d ms, and the database says %s" % (self.timeout, taken))
        return pid

    def unlimited(self):
        # For CONCURRENTLY: stopped halfway, it leaves an invalid index. Returns how to go back.
        with self.connection.cursor() as cursor:
            before = {name: show(cursor, name) for name in ("lock_timeout", "statement_timeout")}
            before = {name: value for name, value in before.items() if milliseconds(value)}
            for name in before:
                cursor.execute("SET %s = 0" % name)
                if milliseconds(show(cursor, name)):
                    emit("note", message="%s is %s and could not be set to 0" % (name, before[name]))
            cursor.execute("SELECT pg_backend_pid()")
            return before, cursor.fetchone()[0]

    def limited_again(self, before):
        try:
            with self.connection.cursor() as cursor:
                for name, value in before.items():
                    cursor.execute("SET %s = '%s'" % (name, value))
        except Exception:
            shut(self.connection)

    def once(self, step, migration, work):
        if not self.postgres:
            return work()
        if migration.atomic:
            # The record of it is in the same transaction: never applied and not recorded.
            with transaction.atomic(self.connection.alias):
                self.watch.begin(step, self.settle(migration))
                return work()
        before, pid = self.unlimited()
        self.watch.begin(step, pid)
        try:
            return work()
        finally:
            self.limited_again(before)

    def step(self, migration, reversal, fake, work):
        if self.fence:
            self.fence.check()
        key = migration.app_label, migration.name
        step = {"app": key[0], "name": key[1], "reversal": reversal, "index": self.places.get(key, len(self.applied) + 1)}
        ran = []
        direction = "unapply" if reversal else "apply"
        real = getattr(migration, direction)
        setattr(migration, direction, lambda *args, **options: ran.append(1) or real(*args, **options))
        start = time.monotonic()
        self.current = dict(step, atomic=bool(migration.atomic))
        emit("applying", fake=bool(fake), atomic=bool(migration.atomic), **step)
        retry = 0
        while True:
            try:
                result = self.once(step, migration, lambda: work(retry))
                break
            except Exception as e:
                self.watch and self.watch.end()
                if code_of(e) != "55P03" or not migration.atomic or not self.timeout or retry == RETRIES:
                    raise
                retry += 1
                pause = round(min(2 ** (retry - 1), 8) * random.uniform(0.5, 1.0), 1)
                emit("retry", retry=retry, of=RETRIES, pause=pause, blockers=self.watch.blockers, **step)
                time.sleep(pause)
            finally:
                self.watch and self.watch.end()
        delattr(migration, direction)
        self.current = None
        values = dict(step, seconds=round(time.monotonic() - start, 3), faked=not ran, retries=retry)
        emit("applied", **values)
        self.applied.append({name: values[name] for name in ("app", "name", "reversal", "seconds", "faked")})
        return result

    def hook(self):
        migrate, apply, unapply = MigrationExecutor.migrate, MigrationExecutor.apply_migration, MigrationExecutor.unapply_migration

        def ours(executor):
            return executor.connection.alias == self.connection.alias

        def migrate_(executor, targets, plan=None, *args, **options):
            if not ours(executor):
                return migrate(executor, targets, plan, *args, **options)
            if plan is None:
                plan = executor.migration_plan(targets)
            self.start(executor, plan)
            result = migrate(executor, targets, plan, *args, **options)
            if plan:
                emit("finishing")
            return result

        def apply_(executor, state, migration, fake=False, fake_initial=False):
            if not ours(executor):
                return apply(executor, state, migration, fake=fake, fake_initial=fake_initial)
            # A try that failed has changed the state it was given.
            return self.step(migration, False, fake, lambda retry: apply(executor, state.clone() if self.timeout and migration.atomic else state, migration, fake=fake, fake_initial=fake_initial))

        def unapply_(executor, state, migration, fake=False):
            if not ours(executor):
                return unapply(executor, state, migration, fake=fake)
            return self.step(migration, True, fake, lambda retry: unapply(executor, state, migration, fake=fake))

        MigrationExecutor.migrate, MigrationExecutor.apply_migration, MigrationExecutor.unapply_migration = migrate_, apply_, unapply_

    def heed_signals(self):
        def stop(*_):
            # Once: what is being put back is not interrupted again.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise Terminated()

        def cancel():
            # psycopg 2 waits in C, where no handler runs, until the server answers.
            os.read(awake, 1)
            raw = self.connection.connection
            if raw is not None and not hasattr(raw, "pgconn") and hasattr(raw, "cancel"):
                try:
                    raw.cancel()
                except Exception:
                    pass

        awake, wake = os.pipe()
        os.set_blocking(wake, False)
        threading.Thread(target=cancel, daemon=True).start()
        signal.signal(signal.SIGTERM, stop)
        signal.set_wakeup_fd(wake)

    def recorded(self):
        # Asked anew: a connection lost while it committed does not tell.
        connection = another(self.connection) if self.postgres else self.connection
        try:
            found = MigrationRecorder(connection).applied_migrations()
            return (self.current["app"], self.current["name"]) in found
        except Exception:
            return None
        finally:
            if connection is not self.connection:
                shut(connection)

    def ended(self, event, **values):
        if self.current:
            values.update(self.current, recorded=self.recorded())
        emit(event, applied=self.applied, seconds=round(time.time() - begun, 1), **values)

    def run(self):
        command = get_commands()["migrate"]
        if isinstance(command, str):
            command = load_command_class(command, "migrate")
        options = {name: True for name in ("fake", "fake_initial") if PARAMETERS[name]}
        words = [word for word in (PARAMETERS["app"], PARAMETERS["migration"]) if word]
        if self.fence:
            self.fence.take()
            self.watch.start()
        self.hook()
        call_command(command, *words, database=database, interactive=False, verbosity=1, skip_checks=False, **options)

    def main(self):
        self.heed_signals()
        try:
            self.run()
        except Busy as e:
            emit("busy", holder=e.holder, applied=self.applied, message="another migration is running on this database")
            return 75
        except KeyboardInterrupt:
            self.ended("interrupted", signal="SIGTERM")
        except Refused as e:
            self.ended("failed", kind="refused", exception=None, message=str(e))
        except (Exception, SystemExit) as e:
            if isinstance(e, SystemExit) and not e.code:
                self.ended("done")
                return 0
            locked = bool(self.current) and code_of(e) == "55P03"
            text = "CommandError: %s\n" % e if isinstance(e, CommandError) else "".join(traceback.format_exception(type(e), e, e.__traceback__))
            sys.stderr.write(clean(text))
            sys.stderr.flush()
            self.ended("failed", kind="lock" if locked else "exception", blockers=self.watch.blockers if locked and self.watch else [], **describe_exception(e))
        else:
            self.ended("done")
            return 0
        return 1


sys.stdout = Lines(sys.stdout)
if database not in connections:
    emit("failed", kind="exception", exception=None, applied=[], message="the settings have no database '%s', only %s" % (database, ", ".join(sorted(connections))))
    sys.exit(1)
code = Run(connections[database]).main()
sys.stdout.flush()
sys.stderr.flush()
# At once: no thread of ours or the project's is waited for, and a transaction left open rolls back.
os._exit(code)
