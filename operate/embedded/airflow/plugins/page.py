"""Puts the guard in front of Airflow's page and interface, and the page "Files" into it."""

import os
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from operate.embedded.airflow.guard import Guard
from operate.page.plugin import FilesPage

__all__ = ["FilesPage", "Page"]


class Page(AirflowPlugin):
    """One middleware."""

    name = "mdp_page"
    fastapi_root_middlewares: ClassVar[list[Any]] = [
        {"name": "guard", "middleware": Guard, "kwargs": {"cookie": os.environ["MDP_AIRFLOW_COOKIE"]}}
    ]
