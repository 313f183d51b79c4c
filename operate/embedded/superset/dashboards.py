"""The dashboards of the embedded platform: where its Superset is, and what `up` draws in it."""

import hashlib
import json
from collections.abc import Callable

from bi.definition import read_dashboards
from bi.superset import apply
from bi.superset.bundle import render
from bi.target import Target, Warehouse
from minidata.settings import Settings
from minidata.warehouse.views import read_views
from operate.embedded.settings import read_secrets
from operate.embedded.state import State
from operate.embedded.superset import service
from operate.embedded.superset.setup import once


def target(state: State, settings: Settings) -> Target:
    """Return the Superset of a platform, and how it reaches the warehouse."""
    return Target(
        url=service.address(state),
        user=service.USER,
        password=read_secrets(state)["MDP_SUPERSET_PASSWORD"],
        warehouse=Warehouse.of(settings),
    )


def publish(state: State, settings: Settings, report: Callable[[str], None]) -> bool:
    """Draw the dashboards unless the same ones were drawn before; later changes by hand are kept.

    Args:
        state: the platform, whose Superset must run.
        settings: how it reaches the warehouse.
        report: told what is being done, in a few words.

    Returns:
        Whether there was anything to do.

    Raises:
        PermanentError: if a definition is wrong, or Superset refuses.
        TransientError: if Superset does not answer.
    """
    where, dashboards = target(state, settings), read_dashboards(datasets=settings.datasets_folder)
    views = read_views(settings.datasets_folder)
    assets = [[asset.kind, asset.name, dict(asset.content)] for asset in render(dashboards, views, where.warehouse)]
    said = json.dumps([assets, where.warehouse.password], sort_keys=True)
    with once(state, settings, "dashboards", hashlib.sha256(said.encode()).hexdigest()) as wanted:
        if wanted:
            report("drawing the dashboards")
            apply(where, dashboards, views)
    return wanted
