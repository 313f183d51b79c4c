"""The ledger of files: every version ever seen in `raw`, its state, and who works on it.

    pending → claimed → loaded → archived
                 ├────→ invalid → quarantined
                 ├────→ superseded
                 └────→ pending … → failed

Every function takes a connection and commits what it does, save those that say that the caller commits.
"""

from minidata.ledger.claims import (
    Batch,
    claim,
    end_batch,
    find_batch,
    mark_swept,
    renew,
    report_step,
    step_counts,
    unswept_batches,
)
from minidata.ledger.files import (
    BatchFile,
    File,
    FileOutcome,
    any_rows_loaded,
    batch_files,
    count_states,
    file_entries,
    find_files,
    newest_load_age,
    reasons_page,
    register,
    states_of,
    upload_to_row,
)
from minidata.ledger.inbox import CHANNEL, allow_events, clear_inbox, read_inbox, write_inbox
from minidata.ledger.lock import assert_claim, locked_batch
from minidata.ledger.moves import due_moves, mark_moved, postpone_move
from minidata.ledger.release import give_back_file, release, release_run
from minidata.ledger.replay import refused_files, retry_failed
from minidata.ledger.verdicts import (
    duplicates,
    mark_loaded,
    mark_superseded,
    record_verdict,
)
from minidata.ledger.waiting import Waiting, waiting

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
    "clear_inbox",
    "count_states",
    "due_moves",
    "duplicates",
    "end_batch",
    "file_entries",
    "find_batch",
    "find_files",
    "give_back_file",
    "locked_batch",
    "mark_loaded",
    "mark_moved",
    "mark_superseded",
    "mark_swept",
    "newest_load_age",
    "postpone_move",
    "read_inbox",
    "reasons_page",
    "record_verdict",
    "refused_files",
    "register",
    "release",
    "release_run",
    "renew",
    "report_step",
    "retry_failed",
    "states_of",
    "step_counts",
    "unswept_batches",
    "upload_to_row",
    "waiting",
    "write_inbox",
]
