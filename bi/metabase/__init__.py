"""Metabase: the definitions as its database, collection, cards and dashboards, over its HTTP interface.

    plan       what an apply would do; sends nothing that changes anything
    apply      does it; a second one finds nothing to do
    addresses  where the dashboards can be opened
    check      whether every request that an apply may send is one that this very server takes

Only what carries our mark is touched (see `mark`).
"""

from bi.metabase.apply import addresses, apply, check, plan
from bi.metabase.target import Target, WarehouseAddress

__all__ = ["Target", "WarehouseAddress", "addresses", "apply", "check", "plan"]
