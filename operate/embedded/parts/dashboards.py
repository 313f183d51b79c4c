"""What shows the rows: Superset with the dashboards."""

from concurrent.futures import Future

from minidata.warehouse.databases import create_app_database
from operate.embedded import postgres
from operate.embedded.parts import PROBE_SECONDS, Start
from operate.embedded.service import TITLES
from operate.embedded.superset import environment, setup
from operate.embedded.superset import service as superset


def start_dashboards(start: Start, database: "Future[None]") -> None:
    """Install Superset if it is missing, set its database up, run it, and draw the dashboards in it."""
    from operate.embedded.superset.dashboards import publish  # noqa: PLC0415  no other command waits for it

    title = TITLES[superset.NAME]

    def say(doing: str) -> None:
        start.supervisor.go_on()
        start.report(title, doing)

    setup.kill(start.state)  # of a start that was killed
    environment.create(say, setup.marked(start.state))
    database.result()
    with postgres.connect_administrator(start.state.port("postgres"), start.secrets["MDP_ADMIN_PASSWORD"]) as admin:
        create_app_database(admin, superset.DATABASE, start.secrets["MDP_SUPERSET_DATABASE_PASSWORD"])
    if setup.set_up(start.state, start.settings, say):
        start.supervisor.stop(superset.NAME)  # one that runs is of another version, or knows another password
    start.run(superset.NAME)
    start.supervisor.wait(superset.NAME, superset.Probe(start.state.port(superset.NAME)), PROBE_SECONDS)
    publish(start.state, start.settings, say)
    start.report(title, None)
