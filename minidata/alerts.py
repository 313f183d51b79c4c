"""Alerts: what a person should be told of, once for each event, with the command that helps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from minidata import ledger
from minidata.settings import Settings
from minidata.warehouse.connection import Connection

_FILES_NAMED = 10  # in one alert
_CONDITIONS = {"not_loading", "stale"}


@dataclass(frozen=True)
class Alert:
    """A message for people.

    Attributes:
        kind: `quarantined`, `failed`, `not_loading`, `stale` or `test`.
        title: one line.
        body: what happened and the command that helps.
        keys: that tell the events apart; each is told once.
    """

    kind: str
    title: str
    body: str
    keys: tuple[str, ...]


def due(connection: Connection, settings: Settings) -> list[Alert]:
    """Return what has not been told yet; conditions that are over are forgotten, so that they are told again."""
    health = ledger.health(connection, settings.wait_seconds)
    conditions = dict(_conditions(health, settings))
    ledger.forget_told(connection, _CONDITIONS - conditions.keys())
    return [
        *_files(connection, "quarantined", "`./mdp quarantine ls` shows why, and how to fix it."),
        *_files(connection, "failed", "`./mdp replay --all` tries again; `./mdp files --in failed` lists them."),
        *(
            Alert(kind, text, f"{text} `./mdp doctor` finds the cause.", (kind,))
            for kind, text in conditions.items()
            if not ledger.was_told(connection, kind)
        ),
    ]


def deliver(connection: Connection, settings: Settings, send: Callable[[Alert], None]) -> list[Alert]:
    """Send what is due, and remember each event once its alert was sent.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        settings: limits.
        send: sends one alert; if it raises, the alert is tried again the next time.

    Returns:
        The alerts that were sent.
    """
    alerts = due(connection, settings)
    for alert in alerts:
        send(alert)
        ledger.remember_told(connection, alert.kind, alert.keys)
    return alerts


def _conditions(health: ledger.Health, settings: Settings) -> list[tuple[str, str]]:
    found = []
    if health.not_loading(settings.wait_seconds):
        wait = health.longest_wait_seconds or 0
        found.append(
            ("not_loading", f"{health.waiting} files wait, the oldest for {wait:.0f} s, and nothing is loaded.")
        )
    if settings.stale_seconds and (health.row_age_seconds or 0) > settings.stale_seconds:
        found.append(("stale", f"The newest upload in the tables arrived {health.row_age_seconds:.0f} s ago."))
    return found


def _files(connection: Connection, state: Literal["quarantined", "failed"], fix: str) -> list[Alert]:
    """Return one alert for all files of a state that have not been told."""
    rows = ledger.untold_files(connection, state)
    if not rows:
        return []
    what = "in quarantine" if state == "quarantined" else "failed"
    number = "1 file" if len(rows) == 1 else f"{len(rows)} files"
    lines = [f"{key}: {reason}" for _, key, reason in rows[:_FILES_NAMED]]
    more = [f"and {len(rows) - _FILES_NAMED} more"] if len(rows) > _FILES_NAMED else []
    return [Alert(state, f"{number} {what}", "\n".join([*lines, *more, fix]), tuple(row[0] for row in rows))]
