-- Rejected cells and rows by reason code; the counts are exact, however many entries the ledger kept.
select f.arrived_at, f.key, f.dataset, c.key collate "C" as code, c.value::bigint as rejected
from mdp.files f
cross join lateral jsonb_each_text(f.counts) c
