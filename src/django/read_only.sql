SELECT 'kdj:' || CASE
 WHEN current_setting('role') <> ROLE THEN 'the session''s role is ' || current_setting('role') || ', not ' || ROLE
 WHEN pg_is_in_recovery() THEN ''
 WHEN source = 'session' THEN 'default_transaction_read_only is ' || setting || ' by somebody''s SET: a pooler in between shares sessions'
 WHEN setting = 'on' THEN ''
 ELSE 'the server says default_transaction_read_only is off: a pooler in between swallows startup options (PgBouncer: ignore_startup_parameters)'
 END || ':' AS kdj FROM pg_settings WHERE name = 'default_transaction_read_only'
