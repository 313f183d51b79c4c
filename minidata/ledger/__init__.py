"""The ledger of files: every version ever seen in `raw`, its state, and who works on it.

    pending → claimed → loaded → archived
                 ├────→ invalid → quarantined
                 ├────→ superseded
                 └────→ pending … → failed

Every function takes a connection and commits what it does, save those that say that the caller commits.
"""

from minidata.ledger.claims import Batch, claim, end_batch, renew
from minidata.ledger.files import BatchFile, File, batch_files, file_entries, find_files, register
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
    "Batch",
    "BatchFile",
    "File",
    "Waiting",
    "assert_claim",
    "batch_files",
    "claim",
    "due_moves",
    "duplicates",
    "end_batch",
    "file_entries",
    "find_files",
    "give_back_file",
    "locked_batch",
    "mark_loaded",
    "mark_moved",
    "mark_superseded",
    "postpone_move",
    "record_verdict",
    "refused_files",
    "register",
    "release",
    "release_run",
    "renew",
    "retry_failed",
    "waiting",
]
