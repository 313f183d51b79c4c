-- The ledger as people read it: each version of each uploaded file, and how long its rows took.
select f.arrived_at,
       f.key,
       f.dataset,
       f.state::text collate "C"                                as state,
       nullif(array_to_string(f.reasons, ', '), '') collate "C" as reason,
       f.rows_loaded,
       f.rows_rejected,
       f.attempts::bigint                                       as attempts,
       f.loaded_at,
       -- A copy of known content loads no rows, so it says nothing of how long rows take.
       case when f.loaded_at is not null and f.rows_loaded > 0
            then greatest(round(extract(epoch from f.loaded_at - f.arrived_at), 2), 0) end as upload_to_row_seconds,
       f.open and f.state = 'quarantined'                       as quarantined
from mdp.files f
