-- What people were told of, so that each event is told once.
create table mdp.alerts (
    kind    text collate "C" not null,
    event   text collate "C" not null,
    told_at timestamptz not null default clock_timestamp(),
    primary key (kind, event)
);
comment on table mdp.alerts is 'Events that an alert was sent for; event is a file_id, or the kind of a condition that lasts';
grant select, insert, delete on mdp.alerts to mdp_loader;

-- Retention: batches and alerts grow old.
grant delete on mdp.batches to mdp_loader;
