"""Plan and apply: what is ours on the server against what the definitions say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import httpx

from bi.model import Dashboard
from bi.plan import Plan
from bi.superset.bundle import Asset, pack, path, render, unpack
from bi.superset.compare import RECORD, digest, same
from bi.superset.identity import is_ours, uuid_of
from bi.superset.server import Superset
from bi.superset.target import Target
from minidata.errors import PermanentError
from minidata.warehouse.views import View, read_views

_VISITORS = "Public"  # the role of whoever has not logged in
_LAST_FIRST = ("dashboards", "charts", "datasets", "databases")


@dataclass(frozen=True)
class _Situation:
    """What is wanted and what was found; ours by UUID."""

    plan: Plan
    wanted: list[Asset]
    orphans: list[Asset]


def plan(
    target: Target,
    dashboards: Iterable[Dashboard],
    views: Mapping[str, View] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Plan:
    """Say what an apply would do.

    Args:
        target: which Superset.
        dashboards: the definitions.
        views: the whole catalogue of reading views, if not the project's own.
        transport: for tests.

    Raises:
        TransientError: if the server does not answer.
        PermanentError: if it is of another version, does not let us in, or holds something that is in the way.
    """
    with Superset(target, transport) as server:
        return _look(server, render(dashboards, views or read_views(), target)).plan


def apply(
    target: Target,
    dashboards: Iterable[Dashboard],
    views: Mapping[str, View] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Plan:
    """Make the server show what the definitions say; whatever somebody else made stays as it is.

    Returns:
        What was done.

    Raises:
        TransientError: if the server does not answer; to run it again is safe.
        PermanentError: as `plan`.
    """
    with Superset(target, transport) as server:
        situation = _look(server, render(dashboards, views or read_views(), target))
        if situation.plan.empty:
            return situation.plan
        _send(server, situation.wanted)
        numbers = {asset.uuid: asset.id for asset in unpack(server.export())}
        roles = server.dashboard_roles()
        for asset in situation.wanted:
            number = numbers.get(asset.uuid)
            if asset.kind == "dashboards" and number is not None and _VISITORS not in roles.get(number, set()):
                server.publish(number, _VISITORS)
        for orphan in sorted(situation.orphans, key=lambda asset: _LAST_FIRST.index(asset.kind)):
            if orphan.id is not None:
                server.delete(orphan.kind, orphan.id)
        return situation.plan


def _look(server: Superset, wanted: list[Asset]) -> _Situation:
    present = unpack(server.export())
    _require_room(server.target, wanted, present)
    ours = {asset.uuid: asset for asset in present if is_ours(asset.uuid)}
    roles = server.dashboard_roles()
    record = _record(ours.get(wanted[0].uuid))
    result = Plan()
    for asset in wanted:
        found = ours.get(asset.uuid)
        sent = record.get(asset.name)
        fresh = sent == _digest(server.target, asset)
        if found is None:
            result.create.append(asset.name)
            if sent is not None:
                result.drift.append(asset.name)
        elif same(asset, found) and _readable(found, roles) and (fresh or asset.kind != "databases"):
            result.unchanged.append(asset.name)
        else:
            result.update.append(asset.name)
            if fresh:
                result.drift.append(asset.name)
    orphans = _orphans(wanted, present, record)
    result.delete.extend(asset.name for asset in orphans)
    return _Situation(result, wanted, orphans)


def _send(server: Superset, wanted: list[Asset]) -> None:
    """Import everything; with it goes a record of what was sent, so that changes by hand can be told from ours."""
    target = server.target
    database, *rest = wanted
    record = {asset.name: _digest(target, asset) for asset in wanted}
    extra = {**database.content["extra"], "schema_options": {RECORD: record}}
    sent = {**database.content, "sqlalchemy_uri": target.database_uri, "extra": extra}
    server.load(pack([replace(database, content=sent), *rest]), {f"{path(database)}": target.database_password})


def _digest(target: Target, asset: Asset) -> str:
    return digest(asset, target.database_password if asset.kind == "databases" else "")


def _record(database: Asset | None) -> dict[str, str]:
    extra = database.content.get("extra") if database else None
    record = ((extra or {}).get("schema_options") or {}).get(RECORD)
    return record if isinstance(record, dict) else {}


def _readable(found: Asset, roles: Mapping[int, set[str]]) -> bool:
    return found.kind != "dashboards" or _VISITORS in roles.get(found.id or 0, set())


def _orphans(wanted: list[Asset], present: list[Asset], record: Mapping[str, str]) -> list[Asset]:
    """Return what we made and no longer define, named as it was; a dataset that other charts use stays."""
    kept = {asset.uuid for asset in wanted}
    kept |= {str(a.content.get("dataset_uuid")) for a in present if a.kind == "charts" and not is_ours(a.uuid)}
    orphans = [a for a in present if is_ours(a.uuid) and a.uuid not in kept and a.kind != "databases"]
    return [replace(asset, name=_old_name(asset, record)) for asset in orphans]


def _old_name(asset: Asset, record: Mapping[str, str]) -> str:
    for name in record:
        if uuid_of(asset.kind, name.removeprefix("mart.")) == asset.uuid:
            return name
    content = asset.content
    return str(content.get("slice_name") or content.get("slug") or content.get("table_name") or asset.uuid)


def _require_room(target: Target, wanted: list[Asset], present: list[Asset]) -> None:
    """See that no object of somebody else's has a name that must be unique and is to be ours."""
    taken = {_unique(asset): asset for asset in present if not is_ours(asset.uuid)}
    problems = [_UNIQUE[asset.kind].format(_unique(asset)[1]) for asset in wanted if _unique(asset) in taken]
    if problems:
        raise PermanentError(
            f"Superset at {target.url} holds things that somebody else made, under names that ours need; rename "
            "or remove them there. Nothing was changed.\n  " + "\n  ".join(problems)
        )


_UNIQUE = {
    "databases": "a database connection called `{}`",
    "datasets": "a dataset of {} on our connection",
    "dashboards": "a dashboard whose address ends in `{}`",
}


def _unique(asset: Asset) -> tuple[str, str]:
    content = asset.content
    if asset.kind == "databases":
        return "databases", str(content.get("database_name"))
    if asset.kind == "dashboards":
        return "dashboards", str(content.get("slug") or asset.uuid)
    if asset.kind == "datasets" and not content.get("sql"):
        place = f"{content.get('schema')}.{content.get('table_name')}"
        return "datasets", place if is_ours(str(content.get("database_uuid"))) else asset.uuid
    return asset.kind, asset.uuid
