"""Superset: the definitions as its connection, datasets, charts and dashboards, over its HTTP interface.

    plan    what an apply would do; sends nothing that changes anything
    apply   does it, at one stroke; a second one finds nothing to do

What is ours is known by its UUID (see `identity`); nothing else is touched.
"""

from bi.superset.apply import apply, plan
from bi.superset.target import Target

__all__ = ["Target", "apply", "plan"]
