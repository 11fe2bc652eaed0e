-- Who waits for whom, by InnoDB's locks. Needs the privilege PROCESS.
SELECT r.trx_mysql_thread_id AS pid,
       b.trx_mysql_thread_id AS blocked_by,
       'row' AS kind,
       l.lock_mode AS mode,
       replace(substring_index(l.lock_table, '.', -1), '`', '') AS relation,
       timestampdiff(MICROSECOND, r.trx_wait_started, now(6)) / 1000000 AS seconds
FROM information_schema.innodb_lock_waits AS w
JOIN information_schema.innodb_trx AS r ON r.trx_id = w.requesting_trx_id
JOIN information_schema.innodb_trx AS b ON b.trx_id = w.blocking_trx_id
LEFT JOIN information_schema.innodb_locks AS l ON l.lock_id = w.requested_lock_id
