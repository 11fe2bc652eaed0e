-- The tables by size; the rows are the engine's estimate.
SELECT table_name AS `table`,
       true AS estimated,
       coalesce(data_length, 0) + coalesce(index_length, 0) AS total,
       data_length AS data,
       index_length AS indexes,
       table_rows AS `rows`,
       NULL AS dead_rows,
       NULL AS vacuumed_seconds,
       NULL AS analyzed_seconds
FROM information_schema.tables
WHERE table_schema = database() AND table_type = 'BASE TABLE'
ORDER BY total DESC, table_name
