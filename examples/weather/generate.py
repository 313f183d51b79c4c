"""Writes CSV files of invented weather stations: `python3 examples/weather/generate.py FOLDER [DAYS] [SEED]`.

Each file has the measurements of one day, every ten minutes. The same seed gives the same files.
"""
# ruff: noqa: INP001  # a script to run, not a package

import csv
import math
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

STATIONS = {"Harbour": 12.0, "Hill": 7.0, "Old town": 10.0}  # mean temperature, degrees Celsius


def generate(folder: Path, days: int = 30, seed: int = 1) -> list[Path]:
    """Write one CSV file per day into a folder; returns the files, oldest first."""
    chance = random.Random(seed)  # noqa: S311  nothing secret
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(days):
        day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        files.append(folder / f"weather_{day.date()}.csv")
        with files[-1].open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("station", "measured_at", "temperature", "rain"))
            for station, mean in STATIONS.items():
                rain = 0.0
                for minute in range(0, 1440, 10):
                    warm = mean + 5 * math.sin((minute - 540) / 1440 * 2 * math.pi) + chance.gauss(0, 0.4)
                    rain += max(0.0, chance.gauss(-0.3, 0.2))
                    known = f"{rain:.1f}" if station != "Hill" else ""
                    writer.writerow((station, (day + timedelta(minutes=minute)).isoformat(), f"{warm:.1f}", known))
    return files


if __name__ == "__main__":
    generate(Path(sys.argv[1]), *map(int, sys.argv[2:]))
