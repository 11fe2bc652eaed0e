-- Ends the session, if it is still the one that was shown.
SELECT pg_terminate_backend(pid) AS told
FROM pg_stat_activity
WHERE pid = %(pid)s
  AND datname = current_database()
  AND (extract(epoch FROM backend_start) * 1000000)::bigint::text = %(started)s
