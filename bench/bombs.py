# ruff: noqa: INP001, T201
"""Measures how long good files wait beside the bombs of `tests/security/bombs.py`, through a platform of its own.

All bombs but the valid ones are uploaded at once, then a good file every few seconds, each timed from its upload until
it is loaded.

Example: ./mdp dev bench bombs
"""

import argparse
import json
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median

from memory import mdp

from tests.security.bombs import BOMBS
from tests.unit.contract.checking import HEADER, ROW

ENDINGS = (".csv.gz", ".csv.zst")  # what the dataset takes


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def main() -> None:
    """Upload, measure, and print the times and what became of the bombs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--good", type=int, default=20, help="good files")
    parser.add_argument("--every", type=float, default=3, help="seconds from one to the next")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mdp-bombs-") as place:
        state, folder = Path(place) / "state", Path(place) / "bombs"
        folder.mkdir()
        for number, bomb in enumerate(bomb for bomb in BOMBS if bomb.ending in ENDINGS and bomb.code):
            (folder / f"{number:02} {bomb.name}{bomb.ending}").write_bytes(bomb.data(1))
        mdp(state, "up", "--no-bi", "--no-simulator")
        try:
            file = Path(place) / "good.csv"
            file.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
            mdp(state, "upload", str(file), "--prefix", "warm", "--wait")
            mdp(state, "upload", str(folder), "--prefix", "bombs")
            for number in range(asked.good):
                file.write_text(f"{HEADER}\n{ROW.replace('v1', f'good{number}')}\n", encoding="utf-8")
                mdp(state, "upload", str(file), "--prefix", f"good/{number}")
                time.sleep(asked.every)
            mdp(state, "wait", "--timeout", "1200")
            files = json.loads(mdp(state, "files", "--json", "--limit", "1000"))
        finally:
            mdp(state, "destroy", "--yes")
    good = [f for f in files if f["key"].startswith("good/")]
    waits = sorted(_seconds(f["arrived_at"], f["loaded_at"]) for f in good if f["loaded_at"])
    print(f"{len(waits)} of {len(good)} good files loaded: p50 {median(waits):.1f} s, greatest {waits[-1]:.1f} s")
    for bomb in sorted((f for f in files if f["key"].startswith("bombs/")), key=lambda f: str(f["key"])):
        print(f"{bomb['key']}: {bomb['state']} {', '.join(bomb['reasons'])} {bomb['size']:,} bytes")


if __name__ == "__main__":
    main()
