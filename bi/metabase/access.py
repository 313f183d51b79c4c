"""Who may see the dashboards: the members of the viewers' group, nobody else but administrators."""

from collections.abc import Mapping
from typing import Any

from bi.metabase.client import Metabase
from bi.plan import Plan
from minidata.errors import PermanentError

GROUP, PERMISSIONS = "group viewers", "permissions"


def find_groups(server: Metabase) -> tuple[int | None, int]:
    """Return the ids of the viewers' group, if it is there, and of the group that everybody is in."""
    viewers, everybody = None, None
    for group in server.get("/api/permissions/group"):
        if group["name"] == server.target.viewers:
            viewers = int(group["id"])
        if group.get("magic_group_type") == "all-internal-users" or group["name"] == "All Users":
            everybody = int(group["id"])
    if everybody is None:
        raise PermanentError(f"Metabase at {server.target.url} has no group of all users; who may see what?")
    return viewers, everybody


def decide(plan: Plan, server: Metabase, database: int, collection: int) -> None:
    """Enter the group and its permissions into a plan; 0 stands for what is not there yet."""
    viewers, everybody = find_groups(server)
    (plan.create if viewers is None else plan.unchanged).append(GROUP)
    if viewers is None or not database or not collection:
        plan.create.append(PERMISSIONS)
    elif _right(server, viewers, everybody, database, collection):
        plan.unchanged.append(PERMISSIONS)
    else:
        plan.update.append(PERMISSIONS)
        plan.drift.append(PERMISSIONS)


def apply(server: Metabase, database: int, collection: int) -> None:
    """Make the group; let it read our collection, and nobody put questions of their own to our database.

    Other collections, databases and groups stay as they are: whoever shall explore gets that from a group that
    the administrator makes.
    """
    viewers, everybody = find_groups(server)
    if viewers is None:
        viewers = int(server.send("POST", "/api/permissions/group", {"name": server.target.viewers})["id"])
    if _right(server, viewers, everybody, database, collection):
        return
    revision = server.get("/api/permissions/graph")["revision"]
    server.send("PUT", "/api/permissions/graph", data_graph(revision, viewers, everybody, database))
    revision = server.get("/api/collection/graph")["revision"]
    server.send("PUT", "/api/collection/graph", collection_graph(revision, viewers, everybody, collection))


def data_graph(revision: int, viewers: int, everybody: int, database: int) -> dict[str, Any]:
    """Return the request that lets neither group put questions of its own to our database."""
    no_questions = {str(database): {"view-data": "unrestricted", "create-queries": "no"}}
    return {"revision": revision, "groups": {str(viewers): no_questions, str(everybody): no_questions}}


def collection_graph(revision: int, viewers: int, everybody: int, collection: int) -> dict[str, Any]:
    """Return the request that lets the viewers, and not everybody, read our collection."""
    groups = {str(viewers): {str(collection): "read"}, str(everybody): {str(collection): "none"}}
    return {"revision": revision, "groups": groups}


def _right(server: Metabase, viewers: int, everybody: int, database: int, collection: int) -> bool:
    collections: Mapping[str, Any] = server.get("/api/collection/graph")["groups"]
    data: Mapping[str, Any] = server.get("/api/permissions/graph")["groups"]

    def reads(group: int) -> str:
        return str(collections.get(str(group), {}).get(str(collection)) or "none")

    def asks(group: int) -> str:
        return str(data.get(str(group), {}).get(str(database), {}).get("create-queries") or "no")

    return (reads(viewers), reads(everybody)) == ("read", "none") and asks(viewers) == asks(everybody) == "no"
