-- Who is connected to this database, but this session: what they run, and since when. Needs the privilege PROCESS.
SELECT p.id AS pid,
       p.user AS user,
       NULL AS application,
       substring_index(p.host, ':', 1) AS client,
       CASE
           WHEN p.command <> 'Sleep' THEN 'active'
           WHEN t.trx_id IS NOT NULL THEN 'idle in transaction'
           ELSE 'idle'
       END AS state,
       timestampdiff(MICROSECOND, t.trx_started, now(6)) / 1000000 AS transaction_seconds,
       p.time AS query_seconds,
       p.time AS state_seconds,
       nullif(p.state, '') AS wait,
       coalesce(p.info, t.trx_query, '') AS query,
       concat_ws(' ', @@hostname, @@port, p.user, p.host) AS started,
       md5(coalesce(p.info, '')) AS query_started
FROM information_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
WHERE p.db = database() AND p.id <> connection_id()
ORDER BY t.trx_started IS NULL, t.trx_started, p.time DESC
