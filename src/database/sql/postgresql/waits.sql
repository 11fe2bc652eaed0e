-- Who waits for whom, and for which lock. A blocker of the number 0 is a prepared transaction.
WITH locks AS (
    -- Once: reading them stops the server's own work on them.
    SELECT * FROM pg_locks
), waiting AS (
    SELECT DISTINCT ON (pid)
           pid,
           locktype,
           mode,
           relation,
           -- PostgreSQL 14 and later.
           (to_jsonb(l) ->> 'waitstart')::timestamptz AS since
    FROM locks AS l
    WHERE NOT granted
    ORDER BY pid
)
SELECT DISTINCT
       w.pid,
       blocker AS blocked_by,
       w.locktype AS kind,
       w.mode,
       -- Who waits for a row waits for the transaction that changed it, with a lock on the row's place.
       nullif(concat_ws('.', nullif(n.nspname, 'public'), c.relname), '') AS relation,
       extract(epoch FROM clock_timestamp() - coalesce(w.since, a.query_start))::float8 AS seconds
FROM waiting AS w
JOIN pg_stat_activity AS a ON a.pid = w.pid AND a.datname = current_database()
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS blocker
LEFT JOIN locks AS row_lock
       ON row_lock.pid = w.pid AND row_lock.locktype = 'tuple' AND row_lock.granted AND w.locktype = 'transactionid'
LEFT JOIN pg_class AS c ON c.oid = coalesce(w.relation, row_lock.relation)
LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY 1, 2
