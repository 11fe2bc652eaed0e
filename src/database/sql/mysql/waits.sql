-- Who waits for whom, by InnoDB's locks. MySQL 8; needs PROCESS, and SELECT on performance_schema.
SELECT r.trx_mysql_thread_id AS pid,
       b.trx_mysql_thread_id AS blocked_by,
       'row' AS kind,
       l.lock_mode AS mode,
       l.object_name AS relation,
       timestampdiff(MICROSECOND, r.trx_wait_started, now(6)) / 1000000 AS seconds
FROM performance_schema.data_lock_waits AS w
JOIN information_schema.innodb_trx AS r ON r.trx_id = w.requesting_engine_transaction_id
JOIN information_schema.innodb_trx AS b ON b.trx_id = w.blocking_engine_transaction_id
LEFT JOIN performance_schema.data_locks AS l ON l.engine_lock_id = w.requesting_engine_lock_id
