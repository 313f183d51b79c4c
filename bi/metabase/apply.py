"""Plan, apply and check."""

from collections.abc import Callable, Sequence

from bi.metabase import access, warehouse
from bi.metabase.client import Metabase
from bi.metabase.found import find_objects
from bi.metabase.render import card_name
from bi.metabase.requests import requests
from bi.metabase.target import Target
from bi.metabase.work import COLLECTION, Work, find_collection
from bi.model import Dashboard
from bi.plan import Plan
from minidata.errors import PermanentError, PlatformError

Progress = Callable[[str], None]
_ADMINISTRATOR = "administrator"


def plan(target: Target, dashboards: Sequence[Dashboard]) -> Plan:
    """Return what an `apply` would do; nothing is changed.

    Raises:
        PlatformError: as `apply`.
    """
    with Metabase(target) as server:
        server.wait_until_ready(0)
        if server.fresh:
            names = [_ADMINISTRATOR, warehouse.NAME, COLLECTION, access.GROUP, access.PERMISSIONS]
            cards = [f"card {card_name(d, tile)}" for d in dashboards for tile in d.tiles]
            return Plan(create=names + cards + [f"dashboard {d.name}" for d in dashboards])
        server.log_in()
        return Work(server, dashboards).plan


def apply(target: Target, dashboards: Sequence[Dashboard], progress: Progress = lambda _: None) -> Plan:
    """Make a server show the dashboards; what is as it should be is not touched.

    Every request that may follow is checked against the server's own description before the first is sent. New
    cards come first and are on no dashboard yet; each dashboard then changes at one stroke; what is no longer
    defined goes last, to Metabase's trash. An `apply` that was cut off is completed by the next one.

    Args:
        target: the server.
        dashboards: what it shall show; ours that are not among them are removed.
        progress: called with the name of each object before it is changed.

    Returns:
        What was done.

    Raises:
        PermanentError: if the server is somebody else's, too old, or does not take what would be sent.
        TransientError: if it is away or too slow.
    """
    done: list[str] = []

    def report(name: str) -> None:
        done.append(name)
        progress(name)

    with Metabase(target) as server:
        server.wait_until_ready(target.ready_seconds)
        server.learn_contract()
        problems = _problems(server, dashboards)
        if problems:
            raise PermanentError(
                f"Metabase {server.version} does not take what would be sent; nothing was changed:\n  "
                + "\n  ".join(problems)
            )
        fresh = server.fresh
        if fresh:
            report(_ADMINISTRATOR)
            server.set_up()
        else:
            server.log_in()
        work = Work(server, dashboards)
        try:
            work.carry_out(report)
        except PlatformError as error:
            raise type(error)(
                f"{error}\nBegun until then: {', '.join(done) or 'nothing'}. Once the cause is mended, run the same "
                "command again: it goes on from there."
            ) from error
        if fresh:
            work.plan.create.insert(0, _ADMINISTRATOR)
        return work.plan


def check(target: Target, dashboards: Sequence[Dashboard]) -> list[str]:
    """Return what a server would refuse of all that an `apply` may send, each with its path and key.

    Raises:
        PlatformError: if the server is away, too old, or serves no description of its interface.
    """
    with Metabase(target) as server:
        server.wait_until_ready(0)
        server.learn_contract()
        if server.contract is None:
            raise PermanentError(
                f"Metabase {server.version} at {target.url} serves no description of its interface "
                "(/api/docs/openapi.json), so nothing can be checked against it."
            )
        return _problems(server, dashboards)


def addresses(target: Target, dashboards: Sequence[Dashboard]) -> dict[str, str]:
    """Return where each dashboard can be opened, by name; one that was not applied has no address.

    Metabase does not keep how often a dashboard refreshes: the address says it, in steps of a minute.

    Raises:
        PlatformError: if the server is away or lets us not in.
    """
    with Metabase(target) as server:
        server.wait_until_ready(0)
        if server.fresh:
            return {}
        server.log_in()
        collection = find_collection(server)
        found = find_objects(server, int(collection["id"])).dashboards if collection else {}
        return {
            d.name: f"{target.url.rstrip('/')}/dashboard/{found[d.name].id}#refresh={max(d.refresh_seconds, 60)}"
            for d in dashboards
            if d.name in found
        }


def _problems(server: Metabase, dashboards: Sequence[Dashboard]) -> list[str]:
    if server.contract is None:
        return []
    found: dict[str, None] = {}
    for method, path, body in requests(server.target, dashboards):
        found |= dict.fromkeys(server.contract.problems(method, path, body))
    return list(found)
