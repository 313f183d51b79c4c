"""Who may see the dashboards: the members of the viewers' group, and administrators."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bi.metabase.client import NAME, Metabase
from bi.plan import Plan
from minidata.errors import PermanentError

VIEWERS = f"{NAME} viewers"
_GROUP, _PERMISSIONS = "group viewers", "permissions"
_NO_QUESTIONS = {"view-data": "unrestricted", "create-queries": "no"}


@dataclass(frozen=True)
class Access:
    """The groups of a server.

    Attributes:
        viewers: id of the viewers' group, if it is there.
        everyone: id of the group that every user is in.
    """

    viewers: int | None
    everyone: int


def find_access(server: Metabase) -> Access:
    """Return the groups of a server."""
    groups = server.get("/api/permissions/group")
    viewers = next((int(group["id"]) for group in groups if group["name"] == VIEWERS), None)
    for group in groups:
        if group.get("magic_group_type") == "all-internal-users" or group["name"] == "All Users":
            return Access(viewers, int(group["id"]))
    raise PermanentError(f"{server.name} has no group of all users, so its permissions are unknown.")


def compare_access(plan: Plan, server: Metabase, access: Access, database: int, collection: int) -> bool:
    """Enter the group and its permissions into a plan; return whether there is something to do.

    An id of 0 stands for an object that is not there yet.
    """
    (plan.create if access.viewers is None else plan.unchanged).append(_GROUP)
    if access.viewers is None or not database or not collection:
        plan.create.append(_PERMISSIONS)
    elif _is_right(server, access.viewers, access.everyone, database, collection):
        plan.unchanged.append(_PERMISSIONS)
        return False
    else:
        plan.update.append(_PERMISSIONS)
        plan.drift.append(_PERMISSIONS)
    return True


def grant(server: Metabase, access: Access, database: int, collection: int) -> None:
    """Create the group and let it read our collection; no other user does, and neither may query our database freely.

    Other collections, databases and groups are unchanged: to let someone explore, an administrator makes a group.
    """
    viewers, everyone = access.viewers, str(access.everyone)
    if viewers is None:
        viewers = int(server.send("POST", "/api/permissions/group", {"name": VIEWERS})["id"])
    asking = {group: {str(database): _NO_QUESTIONS} for group in (str(viewers), everyone)}
    reading = {str(viewers): {str(collection): "read"}, everyone: {str(collection): "none"}}
    for path, groups in (("/api/permissions/graph", asking), ("/api/collection/graph", reading)):
        server.send("PUT", path, {"revision": server.get(path)["revision"], "groups": groups})


def _is_right(server: Metabase, viewers: int, everyone: int, database: int, collection: int) -> bool:
    data: Mapping[str, Any] = server.get("/api/permissions/graph")["groups"]
    collections: Mapping[str, Any] = server.get("/api/collection/graph")["groups"]

    def asks(group: int) -> str:
        return str(data.get(str(group), {}).get(str(database), {}).get("create-queries") or "no")

    def reads(group: int) -> str:
        return str(collections.get(str(group), {}).get(str(collection)) or "none")

    return (reads(viewers), reads(everyone)) == ("read", "none") and asks(viewers) == asks(everyone) == "no"
