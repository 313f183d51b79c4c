"""Writes the CSV exports of an invented shop: `python3 examples/orders/generate.py FOLDER [DAYS] [SEED]`.

Each export has the orders whose state has changed on its day. The same seed gives the same files.
"""
# ruff: noqa: INP001  # a script to run, not a package

import csv
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

HEADER = ("order_id", "country", "status", "amount", "ordered_at", "shipped_on", "changed_at")


def generate(folder: Path, days: int = 30, seed: int = 1, orders_per_day: int = 40) -> list[Path]:
    """Write one CSV file per day into a folder; returns the files, oldest first."""
    chance = random.Random(seed)  # noqa: S311  nothing secret
    first = datetime(2026, 1, 1, tzinfo=UTC)
    changes: dict[int, list[tuple[str, ...]]] = {day: [] for day in range(days)}
    for number in range(days * orders_per_day):
        at = first + timedelta(days=number // orders_per_day, seconds=chance.randrange(86_400))
        fixed = (f"{number:06}", chance.choice(("DE", "FR", "PL", "SE")))
        amount, placed = f"{chance.lognormvariate(3.5, 0.8):.2f}", at.isoformat()
        last = chance.choices(("shipped", "cancelled"), (9, 1))[0]
        for status in ("placed", "paid", last):
            shipped = at.date().isoformat() if status == "shipped" else ""
            day = (at - first).days
            if day < days:
                changes[day].append((*fixed, status, amount, placed, shipped, at.isoformat()))
            at += timedelta(hours=chance.uniform(1, 48))
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for day, rows in changes.items():
        files.append(folder / f"orders_{(first + timedelta(days=day)).date()}.csv")
        with files[-1].open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
    return files


if __name__ == "__main__":
    generate(Path(sys.argv[1]), *map(int, sys.argv[2:]))
