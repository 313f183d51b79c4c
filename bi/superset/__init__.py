"""Superset: the definitions as its connection, datasets, charts and dashboards, over its HTTP interface.

    plan    what an apply would do; changes nothing
    apply   does it, in one request that takes all or nothing; a second one finds nothing to do

Objects of ours are known by their UUID (see `identity`); nothing else is touched.
"""

from bi.superset.apply import apply, plan

__all__ = ["apply", "plan"]
