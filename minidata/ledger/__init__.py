"""The ledger of files: every version ever seen in `raw`, its state, and the worker that holds it.

    pending → claimed → loaded → archived
                 ├────→ invalid → quarantined
                 ├────→ superseded
                 └────→ pending … → failed

All SQL on the schema `mdp` is here. Functions take an autocommit connection, as `connect(settings, "loader")` opens it;
each commits what it does, except in the caller's transaction.
"""

from minidata.ledger.arrivals import CHANNEL, Waiting, allow_events, keys_of, look, waiting, write_inbox
from minidata.ledger.batches import (
    BatchFile,
    batch_files,
    due_moves,
    duplicates,
    mark_loaded,
    mark_moved,
    mark_superseded,
    mark_swept,
    new_files,
    postpone_move,
    reasons_page,
    record_verdict,
    report_step,
    step_counts,
    unswept_batches,
)
from minidata.ledger.claims import (
    Batch,
    assert_claim,
    claim,
    end_batch,
    find_batch,
    heartbeat,
    late_batches,
    lock_dataset,
    locked_batch,
    renew,
)
from minidata.ledger.files import (
    File,
    FileOutcome,
    any_rows_loaded,
    count_states,
    file_entries,
    find_files,
    freshness,
    retry_failed,
    states_of,
)
from minidata.ledger.release import give_back_file, release, release_run
from minidata.ledger.review import count_open, dismiss, files_to_review

__all__ = [
    "CHANNEL",
    "Batch",
    "BatchFile",
    "File",
    "FileOutcome",
    "Waiting",
    "allow_events",
    "any_rows_loaded",
    "assert_claim",
    "batch_files",
    "claim",
    "count_open",
    "count_states",
    "dismiss",
    "due_moves",
    "duplicates",
    "end_batch",
    "file_entries",
    "files_to_review",
    "find_batch",
    "find_files",
    "freshness",
    "give_back_file",
    "heartbeat",
    "keys_of",
    "late_batches",
    "lock_dataset",
    "locked_batch",
    "look",
    "mark_loaded",
    "mark_moved",
    "mark_superseded",
    "mark_swept",
    "new_files",
    "postpone_move",
    "reasons_page",
    "record_verdict",
    "release",
    "release_run",
    "renew",
    "report_step",
    "retry_failed",
    "states_of",
    "step_counts",
    "unswept_batches",
    "waiting",
    "write_inbox",
]
