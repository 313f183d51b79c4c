"""MinIO: its command line and its configuration, the event target included."""

from pathlib import Path

from psycopg.conninfo import make_conninfo

from minidata.settings import Settings
from minidata.warehouse.__main__ import Administration
from operate.embedded.object_store.minio_build import program
from operate.embedded.service import Launch
from operate.embedded.state import State
from operate.s3.access import Identities, Identity


def launch(state: State, settings: Administration) -> Launch:
    """Tell how the server is started."""
    inbox = inbox_of(settings, settings.secret("events_password"))
    return Launch(
        argv=command(program(), state.objects, state.port("s3")),
        environment=environment(Identities.of(settings).admin, inbox),
        cwd=state.objects,
        ports={"s3": state.port("s3")},
    )


def command(binary: Path, data: Path, port: int) -> list[str]:
    """Return the command line of a server that listens on 127.0.0.1; it stops within a moment of SIGTERM."""
    return [str(binary), "server", "--quiet", "--address", f"127.0.0.1:{port}", str(data)]


def environment(admin: Identity, inbox: str) -> dict[str, str]:
    """Return the server's configuration.

    Args:
        admin: its administrator.
        inbox: connection string of `mdp_events`, of `inbox_of`.
    """
    return {
        "MINIO_ROOT_USER": admin.access_key,
        "MINIO_ROOT_PASSWORD": admin.secret_key,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_CALLHOME_ENABLE": "off",
        # Without a queue on disk, which is swept every 3 s: an event that is lost is found by the next listing.
        "MINIO_NOTIFY_POSTGRES_ENABLE_INBOX": "on",
        "MINIO_NOTIFY_POSTGRES_FORMAT_INBOX": "access",
        "MINIO_NOTIFY_POSTGRES_TABLE_INBOX": "inbox",
        "MINIO_NOTIFY_POSTGRES_CONNECTION_STRING_INBOX": inbox,
    }


def inbox_of(settings: Settings, password: str) -> str:
    """Return the connection string of the role `mdp_events`, with the schema of the table `inbox`."""
    return (
        make_conninfo(
            host=settings.database_host,
            port=settings.database_port,
            dbname=settings.database_name,
            user="mdp_events",
            password=password,
            sslmode=settings.database_tls,
        )
        + " search_path=mdp"
    )  # fmt: skip  libpq has no such word, the driver that MinIO uses has
