-- Open quarantine: what still waits for a person, and who or what closed the rest.
alter table mdp.files
    add column fixes      bigint references mdp.files,
    add column closed_at  timestamptz,
    add column closed_by  text,
    add column closed_why text,
    add check ((closed_at is null) = (closed_by is null)),
    add column open       boolean not null generated always as (
        closed_at is null and (
            state in ('invalid', 'quarantined', 'failed')
            or state in ('loaded', 'archived') and duplicate_of is null and coalesce(rows_rejected, 0) > 0
        )
    ) stored;

comment on column mdp.files.fixes is 'The file that this version was sent to fix';
comment on column mdp.files.closed_by is 'The version or the person that closed it';
comment on column mdp.files.open is 'Refused, failed or with rejected rows, and not closed: it waits for a person';

create index files_to_fix on mdp.files (arrived_at desc, file_id desc) where open;
create index files_to_fix_content on mdp.files (sha256) where open;
create index files_to_fix_rejects on mdp.files (regexp_replace(rejects_key, '^.*/', '')) where open;
create index files_fixes on mdp.files (fixes) where fixes is not null;

-- What an existing platform has closed already: by a later version that was accepted, or by the same content.
with later as (
    select o.file_id, n.file_id as closer, n.state in ('loaded', 'archived') as accepted, 1 as rank
    from mdp.files o
    join mdp.files n on n.key = o.key and (n.arrived_at, n.file_id) > (o.arrived_at, o.file_id)
    where o.open and (
        n.state in ('loaded', 'archived') and (o.rows_loaded is null or o.rows_loaded = 0 or n.duplicate_of is null)
        or n.state in ('invalid', 'quarantined') and n.sha256 = o.sha256
    )
    union all
    select o.file_id, n.file_id, true, 2
    from mdp.files o
    join mdp.files n on n.sha256 = o.sha256 and (n.arrived_at, n.file_id) > (o.arrived_at, o.file_id)
    where o.open and o.state in ('invalid', 'quarantined', 'failed') and n.state in ('loaded', 'archived')
)
update mdp.files o
set closed_at = coalesce(n.moved_at, n.loaded_at, now()),
    closed_by = 'version ' || n.version || ' of ' || n.key,
    closed_why = case when not l.accepted then 'The same content was refused again.'
                      when l.rank = 1 then 'A later version was accepted.'
                      else 'The same content was accepted.' end
from (select distinct on (file_id) * from later order by file_id, accepted desc, rank, closer) l
join mdp.files n on n.file_id = l.closer
where o.file_id = l.file_id;
