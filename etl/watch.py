"""A watch over the worker of a step: one that takes too much memory or time is ended before it hurts the machine."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from minidata.settings import Settings

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.2
_SHORT_SECONDS = 3.0  # a step that takes longer gives way to those of small files
_NICE = 10


@contextmanager
def watched(settings: Settings, give_back: Callable[[str], None]) -> Iterator[None]:
    """End this process if the block takes more than `task_memory_bytes` or `task_seconds`.

    A step that takes long is made `nice`, so that small files beside it are not kept waiting. The work is in native
    code for seconds, where no exception reaches it and a failed allocation aborts.

    Args:
        settings: the limits.
        give_back: called with the reason before the end.
    """
    done = threading.Event()
    process, began = psutil.Process(), time.monotonic()
    end = began + settings.task_seconds

    def watch() -> None:
        polite = False
        while not done.wait(_LOOK_SECONDS):
            if not polite and time.monotonic() > began + _SHORT_SECONDS:
                polite = True
                _give_way(process)
            used = process.memory_info().rss
            if used > settings.task_memory_bytes:
                why = f"The worker took {used >> 20} MiB of memory, more than MDP_TASK_MEMORY_BYTES allows."
            elif time.monotonic() > end:
                why = f"The step took longer than the {settings.task_seconds:g} seconds of MDP_TASK_SECONDS."
            else:
                continue
            log.error("%s It is ended.", why)
            try:
                give_back(why)
            finally:
                os._exit(1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _give_way(process: psutil.Process) -> None:
    """Lower the priority of all threads: on Linux each has its own."""
    for thread in process.threads():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.setpriority(os.PRIO_PROCESS, thread.id, max(_NICE, os.getpriority(os.PRIO_PROCESS, thread.id)))
