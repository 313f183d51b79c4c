"""Engine: where the work on the files of a batch runs: in this process, or on the executors of a Spark cluster.

The functions are the same in both places, so the results are. An executor needs our packages and the pipeline's key.
"""

from collections.abc import Iterable

from minidata.engine.local import Local
from minidata.engine.spark import Spark
from minidata.errors import PermanentError
from minidata.settings import Settings

__all__ = ["Local", "Spark", "choose_engine"]


def choose_engine(settings: Settings, sizes: Iterable[int]) -> Local | Spark:
    """Return the engine for files of these sizes, in bytes.

    Raises:
        PermanentError: if it is Spark, and its address or its client is missing.
    """
    if settings.engine == "local" or (total := sum(sizes)) < settings.spark_from_bytes or not total:
        return Local()
    if not settings.spark_remote:
        raise PermanentError("MDP_ENGINE is spark, and MDP_SPARK_REMOTE is not set. Set it to sc://HOST:15002.")
    return Spark(settings.spark_remote)
