-- Asks the session to give up its query; only if it is still the session and the query that were shown.
SELECT pg_cancel_backend(pid) AS told
FROM pg_stat_activity
WHERE pid = %(pid)s
  AND datname = current_database()
  AND (extract(epoch FROM backend_start) * 1000000)::bigint::text = %(started)s
  AND (extract(epoch FROM query_start) * 1000000)::bigint::text = %(query_started)s
  AND state = 'active'
