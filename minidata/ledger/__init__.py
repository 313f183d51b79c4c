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
    Validated,
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
    record_verdicts,
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
    FileState,
    RunTimes,
    any_rows_loaded,
    count_states,
    file_entries,
    find_files,
    load_times,
    retry_failed,
    run_times,
    states_of,
)
from minidata.ledger.health import RELAY, TRIGGER, Health, health
from minidata.ledger.markers import Step, has_passed, marker_key, remove_markers
from minidata.ledger.outcome import RunOutcome, run_outcome
from minidata.ledger.release import give_back_file, give_back_unread, release, release_run
from minidata.ledger.review import count_open, dismiss, files_like, files_to_review, lock_to_fix, register_fix
from minidata.ledger.told import forget_told, remember_told, untold_files, was_told
from minidata.ledger.upkeep import enter_version, known_versions, prune, release_all, replace_version

__all__ = [
    "CHANNEL",
    "RELAY",
    "TRIGGER",
    "Batch",
    "BatchFile",
    "File",
    "FileOutcome",
    "FileState",
    "Health",
    "RunOutcome",
    "RunTimes",
    "Step",
    "Validated",
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
    "enter_version",
    "file_entries",
    "files_like",
    "files_to_review",
    "find_batch",
    "find_files",
    "forget_told",
    "give_back_file",
    "give_back_unread",
    "has_passed",
    "health",
    "heartbeat",
    "keys_of",
    "known_versions",
    "late_batches",
    "load_times",
    "lock_dataset",
    "lock_to_fix",
    "locked_batch",
    "look",
    "mark_loaded",
    "mark_moved",
    "mark_superseded",
    "mark_swept",
    "marker_key",
    "new_files",
    "postpone_move",
    "prune",
    "reasons_page",
    "record_verdicts",
    "register_fix",
    "release",
    "release_all",
    "release_run",
    "remember_told",
    "remove_markers",
    "renew",
    "replace_version",
    "report_step",
    "retry_failed",
    "run_outcome",
    "run_times",
    "states_of",
    "step_counts",
    "unswept_batches",
    "untold_files",
    "waiting",
    "was_told",
    "write_inbox",
]
