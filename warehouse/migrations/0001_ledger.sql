-- The ledger of files, the batches that work on them, and the inbox of events.
create schema mdp;
create schema mart;

comment on schema mdp is 'How the platform remembers what it has done';
comment on schema mart is 'What people and dashboards read';

create type mdp.file_state as enum (
    'pending', 'claimed', 'loaded', 'archived', 'invalid', 'quarantined', 'superseded', 'failed', 'excluded'
);

-- One claim on some files. It is alive while `ended_at` is null; whoever finds its lease run out may end it,
-- and a batch that has ended can never commit again, however late its worker wakes up.
create table mdp.batches (
    batch_id    bigint generated always as identity primary key,
    token       uuid not null default gen_random_uuid(),
    dataset     text collate "C" not null,
    run         text collate "C" not null,
    claimed_at  timestamptz not null default clock_timestamp(),
    lease_until timestamptz not null,
    ended_at    timestamptz,
    outcome     text check (outcome in ('done', 'died')),
    error       text,
    report      jsonb not null default '{}',
    swept_at    timestamptz,
    check ((ended_at is null) = (outcome is null))
);
create index batches_alive on mdp.batches (lease_until) where ended_at is null;
create index batches_unswept on mdp.batches (ended_at) where swept_at is null;
create index batches_run on mdp.batches (run) where ended_at is null;

comment on column mdp.batches.token is 'Names the folder in staging';
comment on column mdp.batches.report is 'Files, rows and seconds for each step';

create table mdp.files (
    file_id       bigint generated always as identity primary key,
    key           text collate "C" not null,
    version       text collate "C" not null,
    size          bigint not null check (size >= 0),
    arrived_at    timestamptz not null,
    dataset       text collate "C" not null,
    state         mdp.file_state not null default 'pending',
    batch_id      bigint references mdp.batches,
    attempts      integer not null default 0,
    due_at        timestamptz not null default clock_timestamp(),
    suspect_batch bigint references mdp.batches,
    suspect_files integer check (suspect_files > 0),
    sha256        text collate "C" check (sha256 ~ '^[0-9a-f]{64}$'),
    duplicate_of  bigint references mdp.files,
    reasons       text[] not null default '{}',
    message       text,
    rows_good     bigint,
    rows_loaded   bigint,
    rows_rejected bigint,
    counts        jsonb not null default '{}',
    entries       json not null default '[]',
    drift         json not null default '[]',
    archive_key   text collate "C",
    rejects_key   text collate "C",
    error         text,
    registered_at timestamptz not null default clock_timestamp(),
    claimed_at    timestamptz,
    validated_at  timestamptz,
    loaded_at     timestamptz,
    moved_at      timestamptz,
    unique (key, version)
);
create index files_open on mdp.files (dataset, due_at, file_id) where state in ('pending', 'loaded', 'invalid');
create index files_batch on mdp.files (batch_id) where state in ('claimed', 'loaded', 'invalid');
create index files_content on mdp.files (sha256) where state in ('loaded', 'archived');

comment on table mdp.files is 'The ledger: one row for every version of every object ever seen in raw';
comment on column mdp.files.suspect_batch is 'The batch that died with this file; tried again in groups of suspect_files';
comment on column mdp.files.counts is 'Rejected cells or rows by reason code, exact';
comment on column mdp.files.entries is 'What was wrong where: [{line, column, code, value}], of the first 1000 rejected records';
comment on column mdp.files.drift is 'Names of columns that the declaration does not know';

-- Events of the store, in the shape of S3 notifications; MinIO writes the same table itself. An event only says
-- "look": its row goes once the version is in the ledger, and a full listing finds whatever no event told of.
create table mdp.inbox (
    inbox_id   bigint generated always as identity primary key,
    event_time timestamptz not null default clock_timestamp(),
    event_data jsonb not null
);

create function mdp.announce() returns trigger language plpgsql as $$
begin
    perform pg_notify('mdp_wake', '');
    return null;
end
$$;
create trigger announce after insert on mdp.inbox for each statement execute function mdp.announce();

grant usage on schema mdp to mdp_loader;
grant select, insert, update on mdp.files, mdp.batches to mdp_loader;
grant select, insert, delete on mdp.inbox to mdp_loader;
grant usage on schema mart to mdp_bi, mdp_loader;
alter default privileges in schema mart grant select on tables to mdp_bi, mdp_loader;
