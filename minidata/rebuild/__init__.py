"""Making tables from the archive: again as a whole, without some files, or for one row to see where it came from."""

from minidata.rebuild.archive import Archive
from minidata.rebuild.compare import Difference, compare
from minidata.rebuild.exclude import exclude, include
from minidata.rebuild.lineage import Lineage, Origin, trace
from minidata.rebuild.lock import exclusive
from minidata.rebuild.shadow import Shadow, shadow_of
from minidata.rebuild.swap import swap

__all__ = [
    "Archive",
    "Difference",
    "Lineage",
    "Origin",
    "Shadow",
    "compare",
    "exclude",
    "exclusive",
    "include",
    "shadow_of",
    "swap",
    "trace",
]
