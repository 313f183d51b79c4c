-- For mart.rejected_rows, which reads the newest files with rejected rows.
create index files_rejects on mdp.files (arrived_at) where rows_rejected > 0;
