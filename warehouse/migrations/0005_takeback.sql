-- Taking a file out of the tables: who did it, when and why.
alter table mdp.files
    add column excluded_at  timestamptz,
    add column excluded_by  text,
    add column excluded_why text,
    add column loaded_in    bigint references mdp.batches on delete set null,
    add column ranges       json;

comment on column mdp.files.loaded_in is 'The batch that loaded it; null once retention has removed the batch';
comment on column mdp.files.ranges is 'Least and greatest value of each column of its good rows';
comment on column mdp.files.excluded_by is 'The person who took the file out of the tables';

-- The content of every accepted file of a dataset, for a rebuild and for taking files out.
create index files_accepted on mdp.files (dataset, sha256, arrived_at) where state in ('loaded', 'archived');
create index files_loaded_in on mdp.files (loaded_in) where loaded_in is not null;
