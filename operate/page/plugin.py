"""What Airflow shows of ours: the page "Files", by Airflow's log-in and rights, and the metrics."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from operate.page import METRICS, PREFIX

if TYPE_CHECKING:
    from fastapi import FastAPI

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ROOT = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='gray' "
    "stroke-width='2'%3E%3Cpath d='M6 3h8l5 5v13H6zM14 3v5h5M9 13h7M9 17h7'/%3E%3C/svg%3E"
)


@cache
def application() -> "FastAPI":
    """Make the application."""
    from airflow.api_fastapi.app import get_auth_manager  # noqa: PLC0415
    from airflow.api_fastapi.auth.managers.models.resource_details import (  # noqa: PLC0415
        AccessView,
        DagAccessEntity,
        DagDetails,
    )
    from airflow.api_fastapi.core_api.security import GetUserDep  # noqa: PLC0415
    from airflow.models.dag import DagModel  # noqa: PLC0415
    from fastapi import HTTPException  # noqa: PLC0415

    from operate.page.app import create_app  # noqa: PLC0415
    from operate.page.person import Person  # noqa: PLC0415

    def asks(user: GetUserDep) -> Person:
        """Return who is logged in. The files of a dataset follow the rights on the runs of its DAG."""
        manager = get_auth_manager()
        if not manager.is_authorized_view(access_view=AccessView.PLUGINS, user=user):
            raise HTTPException(403, "You may not see pages of plugins.")

        def may(method: Literal["GET", "POST"], dataset: str) -> bool:
            details = DagDetails(id=dataset, team_name=DagModel.get_team_name(dataset))
            return bool(
                manager.is_authorized_dag(method=method, access_entity=DagAccessEntity.RUN, details=details, user=user)
            )

        return Person(str(user.get_name()), may)

    return create_app(asks)


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; only Airflow's API server, which gets any, imports the application."""
    await application()(scope, receive, send)


@cache
def _metrics() -> "FastAPI":
    from operate.page.metrics import create_metrics  # noqa: PLC0415

    return create_metrics()


async def serve_metrics(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for the metrics."""
    await _metrics()(scope, receive, send)


class FilesPage(AirflowPlugin):
    """The page and its entry in the menu."""

    name = "mdp_files"
    fastapi_apps: ClassVar[list[Any]] = [
        {"app": serve, "url_prefix": PREFIX, "name": "Files"},
        {"app": serve_metrics, "url_prefix": METRICS, "name": "Metrics"},
    ]
    external_views: ClassVar[list[Any]] = [
        {"name": "Files", "href": f"{_ROOT}{PREFIX}/", "destination": "nav", "url_route": "files",
         "nav_top_level": True, "icon": _ICON}
    ]  # fmt: skip
