-- One row about this moment.
select now() as checked_at,
       (select extract(epoch from now() - max(loaded_at))::bigint from mdp.files) as seconds_since_load,
       count(*) filter (where state in ('pending', 'claimed')) as files_waiting,
       (extract(epoch from now() - min(arrived_at) filter (where state in ('pending', 'claimed'))))::bigint
           as longest_wait_seconds,
       count(*) filter (where state = 'failed') as files_failed,
       count(*) filter (where state in ('invalid', 'quarantined')) as files_quarantined
from mdp.files
where state in ('pending', 'claimed') or open
