-- Files that wait for a person: refused ones, and ones that could not be loaded.
select f.arrived_at,
       f.key,
       f.dataset,
       f.state::text collate "C" as state,
       coalesce(nullif(array_to_string(f.reasons, ', '), ''), 'could not be loaded') collate "C" as reason,
       coalesce(f.message, f.error, '') collate "C" as message
from mdp.files f
where f.open and f.state in ('invalid', 'quarantined', 'failed')
