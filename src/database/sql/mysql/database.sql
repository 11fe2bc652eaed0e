-- The database as a whole.
SELECT database() AS name, coalesce(sum(coalesce(data_length, 0) + coalesce(index_length, 0)), 0) AS total
FROM information_schema.tables
WHERE table_schema = database()
