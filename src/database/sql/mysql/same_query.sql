-- Whether this is the server, and the session and its query still the ones, that were shown.
SELECT p.id AS pid
FROM information_schema.processlist AS p
WHERE p.id = %(pid)s
  AND concat_ws(' ', @@hostname, @@port, p.user, p.host) = %(started)s
  AND p.command <> 'Sleep'
  AND md5(coalesce(p.info, '')) = %(query_started)s
  AND p.time >= floor(%(query_seconds)s)
