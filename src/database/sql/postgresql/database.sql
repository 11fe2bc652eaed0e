-- The database as a whole.
SELECT current_database() AS name, pg_database_size(current_database()) AS total
