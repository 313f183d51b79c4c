"""What holds the rows: PostgreSQL with the warehouse."""

from minidata.dataset import declared_datasets
from minidata.warehouse.connection import connect
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.migrate import apply_datasets, create_roles, create_warehouse, migrate
from operate.embedded import airflow, postgres
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
        create_roles(admin, start.settings)
        airflow.create_database(admin, start.secrets["MDP_AIRFLOW_DATABASE_PASSWORD"])
        create_warehouse(admin, start.settings)
    with connect(start.settings, "owner") as owner:
        migrate(owner)
        apply_datasets(owner, declared_datasets(start.settings).values())
        apply_mart(owner)
    start.report(title, None)
