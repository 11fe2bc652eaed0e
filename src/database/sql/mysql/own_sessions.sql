-- The same for a user without PROCESS: of its own sessions, and without their transactions.
SELECT p.id AS pid,
       p.user AS user,
       NULL AS application,
       substring_index(p.host, ':', 1) AS client,
       if(p.command = 'Sleep', 'idle', 'active') AS state,
       NULL AS transaction_seconds,
       p.time AS query_seconds,
       p.time AS state_seconds,
       nullif(p.state, '') AS wait,
       coalesce(p.info, '') AS query,
       concat_ws(' ', @@hostname, @@port, p.user, p.host) AS started,
       md5(coalesce(p.info, '')) AS query_started
FROM information_schema.processlist AS p
WHERE p.db = database() AND p.id <> connection_id()
ORDER BY p.time DESC
