-- What is wrong in which cell: the entries that the ledger keeps, of the first 1,000 rejected records of each file.
-- file_rejects has the exact counts. jsonb and text cannot hold U+0000, which is shown as U+2400.
select f.arrived_at,
       f.key,
       f.dataset,
       (e.entry->>'line')::bigint        as line,
       (e.entry->>'column') collate "C"  as column_name,
       (e.entry->>'code') collate "C"    as code,
       (e.entry->>'value') collate "C"   as value,
       f.open
from mdp.files f
cross join lateral json_array_elements(replace(f.entries::text, '\u0000', '\u2400')::json) e (entry)
where f.rows_rejected > 0
