"""What is wrong with a platform: each problem with the command that helps."""

from collections.abc import Iterator
from dataclasses import dataclass

from minidata.ledger import Health
from minidata.settings import Settings

_SILENT_SECONDS = 30  # of a trigger or a relay, beyond its usual pause
_FREE_CONNECTIONS = 5


@dataclass(frozen=True)
class Problem:
    """Something that a person should know.

    Attributes:
        code: a fixed name for scripts.
        subject: the service, the DAG, the folder or whatever else it is about.
        message: what is wrong, in one sentence.
        fix: what helps, usually a command.
    """

    code: str
    subject: str
    message: str
    fix: str


def files_problems(quarantined: int) -> list[Problem]:
    """Return the problem of files in quarantine that wait for a person; the platform itself may be healthy."""
    if not quarantined:
        return []
    number = "1 file is" if quarantined == 1 else f"{quarantined:,} files are"
    fix = "`./mdp quarantine ls` shows why, and how to fix it."
    return [Problem("files_quarantined", "quarantine", f"{number} in quarantine.", fix)]


def declaration_problem(dataset: str, fault: str) -> Problem:
    """Return the problem of a declaration that is wrong: its files wait, and all others are loaded."""
    message = f"The declaration of {dataset} is wrong, so its files wait. {' '.join(fault.split())}"
    return Problem("declaration_broken", dataset, message, f"`./mdp dataset check {dataset}` tells when it is right.")


def pipeline_problems(found: Health, settings: Settings, *, relayed: bool, stale_seconds: float) -> Iterator[Problem]:
    """Yield what the database shows to be wrong with the pipeline.

    Args:
        found: the pipeline at this moment.
        settings: limits.
        relayed: whether an event relay must be there.
        stale_seconds: age of the newest upload in the tables that is too much; 0 is no limit.
    """
    yield from _silent("trigger", found.trigger_seconds, settings.wake_seconds, "airflow-triggerer")
    if relayed:
        yield from _silent("relay", found.relay_seconds, 5, "relay")
    if found.failed:
        number = "1 file has" if found.failed == 1 else f"{found.failed} files have"
        yield Problem(
            "files_failed",
            "failed",
            f"{number} failed.",
            "`./mdp files --in failed` lists them, `./mdp replay --all` retries.",
        )
    if found.not_loading(settings.wait_seconds):
        yield Problem(
            "not_loading",
            "pipeline",
            f"{found.waiting} files wait, the oldest for {found.longest_wait_seconds:.0f} s, and nothing is loaded.",
            "`./mdp doctor` finds the step that does not work.",
        )
    if stale_seconds and (found.row_age_seconds or 0) > stale_seconds:
        yield Problem(
            "stale",
            "pipeline",
            f"The newest upload in the tables arrived {found.row_age_seconds:.0f} s ago (limit {stale_seconds:.0f} s).",
            "Check whether files are uploaded: `./mdp files`; `./mdp doctor` checks the pipeline.",
        )
    free = found.most_connections - found.connections
    if free < _FREE_CONNECTIONS:
        yield Problem(
            "connections_low",
            "postgres",
            f"{found.connections} of PostgreSQL's {found.most_connections} connections are in use.",
            "Close clients that are not needed; `./mdp restart` closes all.",
        )


def _silent(name: str, seconds: float | None, pause: float, service: str) -> Iterator[Problem]:
    fix = f"`./mdp doctor --fix` restarts it; `./mdp logs {service}` shows more."
    if seconds is None:
        yield Problem(f"{name}_missing", name, f"The {name} has no connection to the database.", fix)
    elif seconds > pause + _SILENT_SECONDS:
        yield Problem(f"{name}_silent", name, f"The {name} has done nothing for {seconds:.0f} s.", fix)
