"""Who may see the dashboards: the members of the viewers' group, and administrators."""

from collections.abc import Callable, Mapping
from typing import Any

from bi.metabase.client import NAME, Metabase
from bi.plan import Plan
from minidata.errors import PermanentError

VIEWERS = f"{NAME} viewers"
_GROUP, _PERMISSIONS = "group viewers", "permissions"
_NO_QUESTIONS = {"view-data": "unrestricted", "create-queries": "no"}


def ensure_access(
    plan: Plan, server: Metabase, database: int, collection: int, report: Callable[[str], None], *, dry: bool
) -> None:
    """Let the viewers' group read our collection; no other user does, and neither may query our database freely.

    Other collections, databases and groups are unchanged: to let someone explore, an administrator makes a group.

    Args:
        plan: what is done is entered into it.
        server: logged in.
        database: its id; 0 if it is not there yet.
        collection: its id; 0 if it is not there yet.
        report: called before anything is changed.
        dry: only enter into the plan what would be done.
    """
    viewers, everyone = _find_groups(server)
    (plan.create if viewers is None else plan.unchanged).append(_GROUP)
    if viewers is None or not database or not collection:
        plan.create.append(_PERMISSIONS)
    elif _is_right(server, viewers, everyone, database, collection):
        plan.unchanged.append(_PERMISSIONS)
        return
    else:
        plan.update.append(_PERMISSIONS)
        plan.by_hand.append(_PERMISSIONS)
    if dry:
        return
    report(_PERMISSIONS)
    if viewers is None:
        viewers = int(server.send("POST", "/api/permissions/group", {"name": VIEWERS})["id"])
    asking = {str(group): {str(database): _NO_QUESTIONS} for group in (viewers, everyone)}
    reading = {str(viewers): {str(collection): "read"}, str(everyone): {str(collection): "none"}}
    for path, groups in (("/api/permissions/graph", asking), ("/api/collection/graph", reading)):
        server.send("PUT", path, {"revision": server.get(path)["revision"], "groups": groups})


def _find_groups(server: Metabase) -> tuple[int | None, int]:
    """Return the ids of the viewers' group, if it is there, and of the group that every user is in."""
    groups = server.get("/api/permissions/group")
    viewers = next((int(group["id"]) for group in groups if group["name"] == VIEWERS), None)
    for group in groups:
        if group.get("magic_group_type") == "all-internal-users" or group["name"] == "All Users":
            return viewers, int(group["id"])
    raise PermanentError(f"{server.name} has no group of all users, so its permissions are unknown.")


def _is_right(server: Metabase, viewers: int, everyone: int, database: int, collection: int) -> bool:
    data: Mapping[str, Any] = server.get("/api/permissions/graph")["groups"]
    collections: Mapping[str, Any] = server.get("/api/collection/graph")["groups"]

    def asks(group: int) -> str:
        return str(data.get(str(group), {}).get(str(database), {}).get("create-queries") or "no")

    def reads(group: int) -> str:
        return str(collections.get(str(group), {}).get(str(collection)) or "none")

    return (reads(viewers), reads(everyone)) == ("read", "none") and asks(viewers) == asks(everyone) == "no"
