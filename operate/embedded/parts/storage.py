"""What holds the rows: PostgreSQL with the warehouse."""

from minidata.warehouse.connection import connect
from minidata.warehouse.databases import create_app_database, create_warehouse
from minidata.warehouse.migrate import upgrade
from operate.embedded import postgres
from operate.embedded.parts import PROBE_SECONDS, Start
from operate.embedded.service import TITLES


def start_database(start: Start) -> None:
    """Start PostgreSQL, and make in it what is missing: roles, databases, tables, reading views."""
    title, password = TITLES["postgres"], start.secrets["MDP_ADMIN_PASSWORD"]
    target = postgres.server(start.state)
    if not target.data.exists():
        start.report(title, "making its data folder")
        postgres.initialise(target, password)
    start.run("postgres")
    start.supervisor.wait("postgres", lambda: postgres.probe(target.port, password), PROBE_SECONDS)
    with postgres.connect_administrator(target.port, password) as admin:
        create_warehouse(admin, start.settings)
        create_app_database(admin, "airflow", start.secrets["MDP_AIRFLOW_DATABASE_PASSWORD"])
    with connect(start.settings, "owner") as owner:
        upgrade(owner, start.settings)
    start.report(title, None)
