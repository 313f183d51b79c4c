"""Airflow in a folder of its own; in Astro's image, where it has one, that one."""

import os
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_HOME = tempfile.TemporaryDirectory(prefix="airflow-")  # removed when the tests end
os.environ.setdefault("AIRFLOW_HOME", _HOME.name)
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))
