-- The tables by size. One on which somebody has, or waits for, the one lock that readers wait for is not asked for its
-- size: the last VACUUM's or ANALYZE's count of its pages stands for it.
WITH exclusive AS (
    SELECT relation FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'
), locked AS (
    SELECT relation FROM exclusive
    UNION SELECT indrelid FROM pg_index WHERE indexrelid IN (SELECT relation FROM exclusive)
    UNION SELECT oid FROM pg_class WHERE reltoastrelid IN (SELECT relation FROM exclusive)
)
SELECT concat_ws('.', nullif(n.nspname, 'public'), c.relname) AS "table",
       l.relation IS NOT NULL AS estimated,
       CASE WHEN l.relation IS NULL THEN pg_total_relation_size(c.oid) ELSE nullif(c.relpages, 0)::bigint * current_setting('block_size')::bigint END AS total,
       CASE WHEN l.relation IS NULL THEN pg_table_size(c.oid) END AS data,
       CASE WHEN l.relation IS NULL THEN pg_indexes_size(c.oid) END AS indexes,
       greatest(s.n_live_tup, 0) AS rows,
       s.n_dead_tup AS dead_rows,
       extract(epoch FROM clock_timestamp() - greatest(s.last_vacuum, s.last_autovacuum))::float8 AS vacuumed_seconds,
       extract(epoch FROM clock_timestamp() - greatest(s.last_analyze, s.last_autoanalyze))::float8 AS analyzed_seconds
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN locked AS l ON l.relation = c.oid
LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_toast%'
  AND n.nspname NOT LIKE 'pg\_temp%'
ORDER BY total DESC NULLS LAST, 1
