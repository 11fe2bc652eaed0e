-- Whether this is the server, and the session still the one, that was shown.
SELECT p.id AS pid
FROM information_schema.processlist AS p
WHERE p.id = %(pid)s
  AND concat_ws(' ', @@hostname, @@port, p.user, p.host) = %(started)s
