"""Plan and apply: what is ours on the server against what the definitions say."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import httpx

from bi.model import Dashboard
from bi.plan import Plan
from bi.superset.bundle import KINDS, Asset, pack, path, render, unpack, uri
from bi.superset.compare import digest_of, same
from bi.superset.identity import is_ours, uuid_of
from bi.superset.server import Superset
from bi.target import Target
from minidata.errors import PermanentError
from minidata.warehouse.views import View

_VISITORS = "Public"  # the role of visitors without a log-in
_RECORD = "mdp"  # in the connection: what the last apply sent, as digests by name


def plan(
    target: Target,
    dashboards: Iterable[Dashboard],
    views: Mapping[str, View],
    transport: httpx.BaseTransport | None = None,
) -> Plan:
    """Return what an apply would do; nothing is changed.

    Args:
        target: which Superset.
        dashboards: the definitions.
        views: all reading views, by name.
        transport: for tests.

    Raises:
        TransientError: if the server does not answer.
        PermanentError: if it is of another version, refuses the log-in, or an object of someone else has a name that
            ours needs.
    """
    with Superset(target, transport) as server:
        present = unpack(server.export())
        return _compare(server, render(dashboards, views, target.warehouse), present)[0]


def apply(
    target: Target,
    dashboards: Iterable[Dashboard],
    views: Mapping[str, View],
    transport: httpx.BaseTransport | None = None,
    *,
    keep_edits: bool = False,
) -> Plan:
    """Make the server show what the definitions say; objects that other people made are never touched.

    Args:
        target: which Superset.
        dashboards: the definitions.
        views: all reading views, by name.
        transport: for tests.
        keep_edits: do nothing if the last apply sent these same definitions, whatever was changed by hand since.

    Returns:
        What was done.

    Raises:
        TransientError: if the server does not answer; running it again is safe.
        PermanentError: as `plan`.
    """
    with Superset(target, transport) as server:
        wanted, present = render(dashboards, views, target.warehouse), unpack(server.export())
        record = {asset.name: _digest(server, asset) for asset in wanted}
        as_recorded = _record(wanted, present) == record
        if keep_edits and as_recorded:
            return Plan()
        result, orphans = _compare(server, wanted, present)
        if not result.empty:
            _change(server, wanted, orphans)
        if not result.empty or not as_recorded:
            _send(server, wanted[:1], record)
        return result


def _change(server: Superset, wanted: list[Asset], orphans: list[Asset]) -> None:
    """Send every object, publish the dashboards and delete what is no longer defined; the record is empty meanwhile."""
    _send(server, wanted, {})
    numbers = {asset.uuid: asset.id for asset in unpack(server.export())}
    roles = server.dashboard_roles()
    for asset in wanted:
        number = numbers.get(asset.uuid)
        if asset.kind == "dashboards" and number is not None and _VISITORS not in roles.get(number, set()):
            server.publish(number, _VISITORS)
    for orphan in sorted(orphans, key=lambda asset: KINDS.index(asset.kind), reverse=True):
        if orphan.id is not None:
            server.delete(orphan.kind, orphan.id)


def _compare(server: Superset, wanted: list[Asset], present: list[Asset]) -> tuple[Plan, list[Asset]]:
    """Return what an apply would do, and what we made and no longer define."""
    _require_free_names(server, wanted, present)
    ours = {asset.uuid: asset for asset in present if is_ours(asset.uuid)}
    roles = server.dashboard_roles()
    record = _record(wanted, present)
    result = Plan()
    for asset in wanted:
        found, sent = ours.get(asset.uuid), record.get(asset.name)
        as_sent = sent == _digest(server, asset)
        if found is None:
            result.create.append(asset.name)
            if sent is not None:
                result.by_hand.append(asset.name)
        elif same(asset, found) and _is_published(found, roles) and (as_sent or asset.kind != "databases"):
            result.unchanged.append(asset.name)
        else:
            result.update.append(asset.name)
            if as_sent:
                result.by_hand.append(asset.name)
    orphans = _orphans(wanted, present, record)
    result.delete.extend(asset.name for asset in orphans)
    return result, orphans


def _send(server: Superset, wanted: list[Asset], record: Mapping[str, str]) -> None:
    """Import objects, the connection first: it holds the record, by which changes by hand are told from ours."""
    database, *rest = wanted
    warehouse = server.target.warehouse
    extra = {**database.content["extra"], "schema_options": {_RECORD: record}}
    address = uri(warehouse, warehouse.password)
    sent = {**database.content, "sqlalchemy_uri": address, "extra": extra}
    server.load(pack([replace(database, content=sent), *rest]), {path(database): warehouse.password})


def _digest(server: Superset, asset: Asset) -> str:
    return digest_of(asset, server.target.warehouse.password if asset.kind == "databases" else "")


def _record(wanted: list[Asset], present: list[Asset]) -> dict[str, str]:
    """Return the record in the connection, which is the first of the wanted objects; empty if there is none."""
    content = next((asset.content for asset in present if asset.uuid == wanted[0].uuid), {})
    record = ((content.get("extra") or {}).get("schema_options") or {}).get(_RECORD)
    return record if isinstance(record, dict) else {}


def _is_published(found: Asset, roles: Mapping[int, set[str]]) -> bool:
    return found.kind != "dashboards" or _VISITORS in roles.get(found.id or 0, set())


def _orphans(wanted: list[Asset], present: list[Asset], record: Mapping[str, str]) -> list[Asset]:
    """Return what we made and no longer define, by its old name; a dataset that other people's charts use stays."""
    kept = {asset.uuid for asset in wanted}
    kept |= {str(a.content.get("dataset_uuid")) for a in present if a.kind == "charts" and not is_ours(a.uuid)}
    orphans = [a for a in present if is_ours(a.uuid) and a.uuid not in kept and a.kind != "databases"]
    names = {uuid_of(kind, name.removeprefix("mart.")): name for kind in KINDS for name in record}
    return [replace(asset, name=names.get(asset.uuid) or _shown_name(asset)) for asset in orphans]


def _shown_name(asset: Asset) -> str:
    content = asset.content
    return str(content.get("slice_name") or content.get("slug") or content.get("table_name") or asset.uuid)


def _require_free_names(server: Superset, wanted: list[Asset], present: list[Asset]) -> None:
    """Check that no object of someone else has a name that must be unique and that ours needs."""
    taken = {_unique_name(asset) for asset in present if not is_ours(asset.uuid)} - {None}
    problems = [name for name in map(_unique_name, wanted) if name in taken]
    if problems:
        raise PermanentError(
            f"{server.name} holds objects that someone else made, under names that ours need; rename "
            "or remove them there. Nothing was changed.\n  " + "\n  ".join(map(str, problems))
        )


def _unique_name(asset: Asset) -> str | None:
    content = asset.content
    if asset.kind == "databases":
        return f"a database connection called `{content.get('database_name')}`"
    if asset.kind == "dashboards" and content.get("slug"):
        return f"a dashboard whose address ends in `{content['slug']}`"
    if asset.kind == "datasets" and not content.get("sql") and is_ours(str(content.get("database_uuid"))):
        return f"a dataset of {content.get('schema')}.{content.get('table_name')} on our connection"
    return None
