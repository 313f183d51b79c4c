"""Whether the pipeline gets on: what waits, for how long, and who has looked when."""

from dataclasses import dataclass

from psycopg.rows import class_row

from minidata.warehouse.connection import Connection

TRIGGER, RELAY = "mdp_trigger", "mdp_relay"  # names of their connections


@dataclass(frozen=True)
class Health:
    """The pipeline at one moment, by the database's clock. Seconds are None where nothing of the kind has happened.

    Attributes:
        waiting: files that are not loaded, or not moved, yet.
        longest_wait_seconds: since the oldest of them arrived; not counted is the time before the server started.
        idle_seconds: since a file was last validated, loaded or moved.
        at_work: whether a batch is alive and has been for as long as the oldest file waits.
        failed: files that could not be loaded, and wait for a person.
        row_age_seconds: since the newest upload arrived whose rows are in the tables.
        trigger_seconds: since the DAG's trigger last spoke to the database; None if it has no connection.
        relay_seconds: the same of the event relay.
        connections: open ones of all roles.
        most_connections: that roles other than the administrator may open.
    """

    waiting: int
    longest_wait_seconds: float | None
    idle_seconds: float | None
    at_work: bool
    failed: int
    row_age_seconds: float | None
    trigger_seconds: float | None
    relay_seconds: float | None
    connections: int
    most_connections: int

    def not_loading(self, wait_seconds: float) -> bool:
        """Return whether files have waited for longer than so many seconds in which nothing was done."""
        idle = self.idle_seconds is None or self.idle_seconds > wait_seconds
        return (self.longest_wait_seconds or 0) > wait_seconds and idle and not self.at_work


def health(connection: Connection, wait_seconds: float) -> Health:
    """Return the state of the pipeline.

    Args:
        connection: to the warehouse, as `mdp_loader`: it sees when its role's other connections last ran a statement.
        wait_seconds: a batch that has been alive for so long may keep the others waiting, as a large file does.
    """
    found = (
        connection.cursor(row_factory=class_row(Health))
        .execute(
            "with moment as (select clock_timestamp() as now, pg_postmaster_start_time() as started), "
            "waiting as (select count(*) as n, min(greatest(arrived_at, loaded_at, validated_at)) as since "
            "from mdp.files where state in ('pending', 'claimed', 'loaded', 'invalid')), "
            "sessions as (select application_name as name, "
            "greatest(extract(epoch from now - max(state_change)), 0)::float8 as seconds "
            "from pg_stat_activity, moment where usename = current_user group by application_name, now) "
            "select waiting.n as waiting, "
            "case when waiting.n > 0 then extract(epoch from now - greatest(waiting.since, started))::float8 end "
            "as longest_wait_seconds, "
            "(select extract(epoch from now - max(greatest(validated_at, loaded_at, moved_at)))::float8 "
            "from mdp.files) as idle_seconds, "
            "exists (select from mdp.batches where ended_at is null and lease_until >= now "
            "and claimed_at < now - %(wait)s * interval '1 second') as at_work, "
            "(select count(*) from mdp.files where open and state = 'failed') as failed, "
            "(select greatest(extract(epoch from now - max(arrived_at)), 0)::float8 from mdp.files "
            "where rows_loaded > 0) as row_age_seconds, "
            "(select max(seconds) from sessions where name = %(trigger)s) as trigger_seconds, "
            "(select max(seconds) from sessions where name = %(relay)s) as relay_seconds, "
            "(select count(*) from pg_stat_activity where backend_type = 'client backend') as connections, "
            "current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int "
            "- current_setting('reserved_connections')::int as most_connections "
            "from moment, waiting",
            {"wait": wait_seconds, "trigger": TRIGGER, "relay": RELAY},
        )
        .fetchone()
    )
    assert found is not None  # noqa: S101  an aggregate has a row
    return found
