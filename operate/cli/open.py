"""`mdp open`: the platform's pages in the browser."""

import os
import sys
import webbrowser
from enum import StrEnum
from typing import Annotated

import typer

from minidata.errors import PermanentError
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import console
from operate.embedded.settings import secrets_file
from operate.embedded.superset.service import belongs_to


class Page(StrEnum):
    """What can be opened."""

    AIRFLOW = "airflow"
    DASHBOARDS = "dashboards"
    S3 = "s3"


@app.command("open")
def open_page(
    context: typer.Context,
    page: Annotated[Page | None, typer.Argument(help="Without it the dashboards, else Airflow.")] = None,
) -> None:
    """Open a page of the platform in the browser, and print its address.

    S3 has no page: its address is for S3 clients.

    Example: ./mdp open airflow
    """
    settings = settings_of(context)
    state = state_of(context)
    ports = {name: port for name, port in state.platform.ports.items() if name != "superset" or belongs_to(state)}
    chosen = page or (Page.DASHBOARDS if "superset" in ports else Page.AIRFLOW)
    if chosen is Page.S3:
        console.print(f"{settings.s3_endpoint}  (for S3 clients; `./mdp env` prints the keys)", soft_wrap=True)
        return
    port = ports.get({Page.AIRFLOW: "airflow", Page.DASHBOARDS: "superset"}[chosen])
    if port is None:
        raise PermanentError(
            f"No {chosen} run here. `./mdp status` lists what does; `./mdp up` starts what is missing."
        )
    address = f"http://127.0.0.1:{port}"
    secret = {Page.AIRFLOW: "MDP_AIRFLOW_PASSWORD", Page.DASHBOARDS: "MDP_SUPERSET_PASSWORD"}[chosen]
    what = "to explore, log in as " if chosen is Page.DASHBOARDS else ""
    console.print(f"{address}  ({what}user admin, {secret} in {secrets_file(state)})", markup=False, soft_wrap=True)
    if _has_browser() and not webbrowser.open(address):
        console.print("No browser could be started: open the address yourself.")


def _has_browser() -> bool:
    """Tell whether a browser with windows can be expected; one in this terminal would help nobody."""
    return sys.platform == "darwin" or any(os.environ.get(n) for n in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
