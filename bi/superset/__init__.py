"""Superset: the definitions as its connection, datasets, charts and dashboards, over its HTTP interface.

    plan    what an apply would do; changes nothing
    apply   does it: one request creates and updates everything or nothing; a second apply finds nothing to do

Objects of ours are known by their UUID (see `identity`); nothing else is touched.
"""

from bi.superset.apply import apply, plan

__all__ = ["apply", "plan"]
