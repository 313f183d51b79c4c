"""The watch over a worker: a step that takes long gives way, with all of its threads."""

import os
import subprocess
import sys

STEP = """
import os, threading, time
from etl import watch
from minidata.settings import Settings

watch._SHORT_SECONDS = 0.1
threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
with watch.watched(Settings(), print):
    time.sleep(1)
    print(sorted({os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in os.listdir("/proc/self/task")})[0])
"""


def test_a_step_that_takes_long_lowers_the_priority_of_all_its_threads() -> None:
    run = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True)
    assert int(run.stdout) >= max(10, os.getpriority(os.PRIO_PROCESS, 0))
