"""`mdp open` and `mdp env`: where the platform is reached, and with which credentials."""

import os
import shlex
import sys
import webbrowser
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import typer

from minidata.errors import PermanentError
from minidata.settings import Settings
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import print_table, say
from operate.embedded.settings import read_secrets, secrets_file
from operate.embedded.state import State
from operate.embedded.superset import service as superset


class Page(StrEnum):
    """Pages that can be opened."""

    DASHBOARDS = "dashboards"
    SUPERSET = "superset"
    AIRFLOW = "airflow"
    S3 = "s3"


@app.command("open")
def open_page(
    context: typer.Context,
    page: Annotated[Page | None, typer.Argument(help="By default the dashboards, else Airflow.")] = None,
) -> None:
    """Open a page of the platform in the browser, and print its address and log-in.

    `superset` and `dashboards` are the same page. S3 has no page; its address is for S3 clients.

    Example: ./mdp open airflow
    """
    settings, state = settings_of(context), state_of(context)
    if page is Page.S3:
        say(f"{settings.s3_endpoint}  (for S3 clients; `./mdp env` prints the keys)")
        return
    has_superset = superset.belongs_to(state) and "superset" in state.platform.ports
    if page in {Page.DASHBOARDS, Page.SUPERSET} and not has_superset:
        raise PermanentError(
            "This platform runs without Superset. `./mdp up` starts it, `./mdp status` lists services."
        )
    if has_superset and page is not Page.AIRFLOW:
        address, login = superset.address(state), f"log in as {superset.USER} to explore, MDP_SUPERSET_PASSWORD"
    else:
        address, login = f"http://127.0.0.1:{state.port('airflow')}", "user admin, MDP_AIRFLOW_PASSWORD"
    say(f"{address}  ({login} in {secrets_file(state)})")
    if _has_browser() and not webbrowser.open(address):
        say("No browser could be started: open the address yourself.")


def _has_browser() -> bool:
    """Tell whether a browser with windows can be expected; one that runs in this terminal is of no use."""
    return sys.platform == "darwin" or any(os.environ.get(n) for n in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))


def print_addresses(state: State, settings: Settings) -> None:
    """Print where each service is reached, and how to log in."""
    secrets = secrets_file(state)
    rows = [
        ["Airflow", f"http://127.0.0.1:{state.port('airflow')}", f"user admin, MDP_AIRFLOW_PASSWORD in {secrets}"],
        ["S3", settings.s3_endpoint, "keys: ./mdp env"],
        ["PostgreSQL", f"127.0.0.1:{settings.database_port}", "./mdp sql, or ./mdp env"],
    ]
    if superset.belongs_to(state):
        login = f"none to view; user {superset.USER} to explore, MDP_SUPERSET_PASSWORD in {secrets}"
        rows.insert(0, ["Dashboards", superset.address(state), login])
    print_table(["service", "address", "log-in"], rows)


@app.command()
def env(context: typer.Context) -> None:
    """Print the addresses and credentials as exports for a shell.

    Example: eval "$(./mdp env)"; psql "$MDP_DATABASE_URL"
    """
    settings, state = settings_of(context, running=False), state_of(context)
    password = quote(settings.secret("bi_password"), safe="")
    key, secret = settings.secret("s3_access_key_id"), settings.secret("s3_secret_access_key")
    values = {
        "MDP_DATABASE_URL": f"postgresql://mdp_bi:{password}@{settings.database_host}:{settings.database_port}"
        f"/{settings.database_name}?sslmode={settings.database_tls}",
        "MDP_S3_ENDPOINT": settings.s3_endpoint,
        "MDP_S3_REGION": settings.s3_region,
        "MDP_S3_ACCESS_KEY_ID": key,
        "MDP_S3_SECRET_ACCESS_KEY": secret,
        "MDP_GENERATOR_ACCESS_KEY_ID": settings.secret("generator_access_key_id"),
        "MDP_GENERATOR_SECRET_ACCESS_KEY": settings.secret("generator_secret_access_key"),
        "AWS_ENDPOINT_URL": settings.s3_endpoint,
        "AWS_REGION": settings.s3_region,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    if state.exists():
        services = [("AIRFLOW", f"http://127.0.0.1:{state.port('airflow')}", "admin")]
        if superset.belongs_to(state):
            services.append(("SUPERSET", superset.address(state), superset.USER))
        passwords = read_secrets(state)
        for name, url, user in services:
            values |= {f"MDP_{name}_URL": url, f"MDP_{name}_USER": user}
            values[f"MDP_{name}_PASSWORD"] = passwords[f"MDP_{name}_PASSWORD"]
    for name, value in values.items():
        sys.stdout.write(f"export {name}={_quoted(value)}\n")


def _quoted(value: str) -> str:
    """Quote for a shell, always in single quotes: scripts read these lines."""
    return shlex.quote(value) if "'" in value else f"'{value}'"
