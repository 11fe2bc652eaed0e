-- Who is connected, but this session: what they run, and since when. `elsewhere` are those of other databases, and,
-- in PostgreSQL 10 and later, the server's own processes: they may hold locks.
SELECT pid,
       usename AS "user",
       nullif(application_name, '') AS application,
       host(client_addr) AS client,
       state,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_seconds,
       extract(epoch FROM clock_timestamp() - query_start)::float8 AS query_seconds,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS state_seconds,
       concat_ws(': ', wait_event_type, wait_event) AS wait,
       query,
       (extract(epoch FROM backend_start) * 1000000)::bigint::text AS started,
       (extract(epoch FROM query_start) * 1000000)::bigint::text AS query_started,
       datname,
       to_jsonb(a) ->> 'backend_type' AS backend_type,
       datname IS DISTINCT FROM current_database()
           OR coalesce(to_jsonb(a) ->> 'backend_type', 'client backend') <> 'client backend' AS elsewhere
FROM pg_stat_activity AS a
WHERE pid <> pg_backend_pid()
ORDER BY xact_start, query_start
