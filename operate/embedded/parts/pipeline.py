"""What brings files to rows: Airflow, the relay of events, the trigger that listens to it, and the simulator."""

from concurrent.futures import Future
from importlib.metadata import version

from minidata import ledger
from minidata.errors import TransientError
from minidata.warehouse.connection import connect
from operate.embedded import airflow, postgres
from operate.embedded.parts import PROBE_SECONDS, Start
from operate.embedded.service import TITLES
from operate.embedded.stores import tells_of_uploads

RELAY = "relay"
SIMULATOR = "simulator"


def start_airflow(start: Start, database: "Future[None]") -> None:
    """Start Airflow's components once the database is there; their tables are made once for a version."""
    database.result()
    installed = version("apache-airflow-core")
    airflow.write_passwords(start.state.airflow, start.secrets["MDP_AIRFLOW_PASSWORD"])
    if start.state.platform.airflow_version != installed:
        start.report(TITLES[airflow.API], "making its tables")
        airflow.migrate(start.state, start.settings)
        start.state.remember(airflow_version=installed)
    for name in airflow.COMPONENTS:
        start.run(name)
    for name in airflow.COMPONENTS:
        probe = airflow.Probe(start.state.port("airflow"), name)
        start.supervisor.wait(name, probe, PROBE_SECONDS)
        start.report(TITLES[name], None)


def start_relay(start: Start, database: "Future[None]", objects: "Future[None]") -> None:
    """Start the relay of events once both its ends are there, if the store needs one."""
    database.result()
    objects.result()
    if tells_of_uploads(start.state.platform.store):
        return
    start.run(RELAY)
    start.report(TITLES[RELAY], None)


def await_trigger(start: Start) -> None:
    """Wait until the trigger listens: from now on an upload is seen within a second."""
    title = "Upload trigger"
    start.report(title, "checking")

    def listens() -> None:
        password = start.secrets["MDP_ADMIN_PASSWORD"]
        postgres.probe(start.state.port("postgres"), password)
        with postgres.connect_administrator(start.state.port("postgres"), password) as admin:
            query = "select 1 from pg_stat_activity where usename = 'mdp_loader' and query = %s"
            if not admin.execute(query, [f"listen {ledger.CHANNEL}"]).fetchone():
                raise TransientError("The DAG's trigger does not listen yet.")

    start.supervisor.wait("airflow-triggerer", listens, PROBE_SECONDS)
    start.report(title, None)


def start_simulator(start: Start) -> None:
    """Start the simulator, and wait until the first of its rows is in the tables."""
    start.run(SIMULATOR, "uploading its history")

    def rows() -> None:
        with connect(start.settings, "loader") as connection:
            if not ledger.any_rows_loaded(connection):
                raise TransientError("No row has been loaded yet.")

    start.supervisor.wait(SIMULATOR, rows, PROBE_SECONDS)
    start.report(TITLES[SIMULATOR], None)
