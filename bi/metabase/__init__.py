"""Metabase: the definitions as its database, collection, cards and dashboards, over its HTTP interface.

    plan       what an apply would do; changes nothing
    apply      does it; a second one finds nothing to do
    addresses  where the dashboards can be opened

Only objects that carry our mark are touched (see `objects`).
"""

from bi.metabase.apply import addresses, apply, plan

__all__ = ["addresses", "apply", "plan"]
