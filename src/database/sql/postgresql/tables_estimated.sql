-- The same where a lock came in between: by the last VACUUM's or ANALYZE's count of pages alone.
SELECT concat_ws('.', nullif(n.nspname, 'public'), c.relname) AS "table",
       true AS estimated,
       nullif(c.relpages, 0)::bigint * current_setting('block_size')::bigint AS total,
       NULL::bigint AS data,
       NULL::bigint AS indexes,
       greatest(s.n_live_tup, 0) AS rows,
       s.n_dead_tup AS dead_rows,
       extract(epoch FROM clock_timestamp() - greatest(s.last_vacuum, s.last_autovacuum))::float8 AS vacuumed_seconds,
       extract(epoch FROM clock_timestamp() - greatest(s.last_analyze, s.last_autoanalyze))::float8 AS analyzed_seconds
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_toast%'
  AND n.nspname NOT LIKE 'pg\_temp%'
ORDER BY total DESC NULLS LAST, 1
