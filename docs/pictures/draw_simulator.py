"""Draws docs/pictures/simulator.png: `PYTHONPATH=. python docs/pictures/draw_simulator.py` (needs matplotlib)."""

# ruff: noqa: INP001  a script, not a package

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from matplotlib import pyplot as plt

from simulator.world import World

START = datetime(2026, 11, 20, tzinfo=UTC)  # a Friday
STEP = timedelta(minutes=10)
HOURS = 48

world = World(1, START, channels=40, videos=500)
world.advance(START + timedelta(hours=HOURS))
offsets = {channel.channel_id: channel.utc_offset for channel in world.channels}
groups = {"Europe, UTC 0 and +1": {0, 1}, "East Asia, UTC +7 and +9": {7, 9}, "America, UTC -8 to -3": {-8, -5, -3}}

instants = [START + step * STEP for step in range(int(HOURS * 6) + 1)]
views: dict[str, list[int]] = {name: [] for name in ("all", *groups)}
for instant in instants:
    total = Counter[float]()
    for row in world.snapshot(instant):
        total[offsets[row.channel_id]] += row.total_views
    views["all"].append(sum(total.values()))
    for name, members in groups.items():
        views[name].append(sum(total[member] for member in members))
last = world.snapshot()

plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
figure = plt.figure(figsize=(9, 5.6), layout="constrained")
grid = figure.add_gridspec(2, 3)

axes = figure.add_subplot(grid[0, :])
hours = [(instant - START) / timedelta(hours=1) for instant in instants[1:]]
for name, counts in views.items():
    rates = [(now - before) * 6 / 1e6 for before, now in pairwise(counts)]
    axes.plot(hours, rates, label=name, color="black" if name == "all" else None, linewidth=1.4 if name == "all" else 1)
axes.set(title="Views an hour (millions) over two days, in steps of 10 minutes", xlabel="hours, UTC", xlim=(0, HOURS))
axes.set_ylim(bottom=0)
axes.set_xticks(
    range(0, HOURS + 1, 6), [f"{('Fri', 'Sat', 'Sun')[h // 24]} {h % 24:02}" for h in range(0, HOURS + 1, 6)]
)
axes.legend(frameon=False, ncols=4, loc="upper left")

axes = figure.add_subplot(grid[1, 0])
ranked = sorted((row.total_views for row in last), reverse=True)
axes.loglog(range(1, len(ranked) + 1), ranked, ".", markersize=3)
axes.loglog([1, 400], [ranked[0], ranked[0] * 400**-0.95], "--", linewidth=0.8, color="grey", label="rank$^{-0.95}$")
axes.set(title="Total views by rank", xlabel="rank", ylabel="views")
axes.legend(frameon=False)

axes = figure.add_subplot(grid[1, 1])
known = [row for row in last if row.total_views > 50_000]
axes.hist([100 * row.total_likes / row.total_views for row in known], bins=28)
axes.set(title="Likes, % of views", xlabel="%", ylabel="videos", xlim=(0, 8.5))

axes = figure.add_subplot(grid[1, 2])
axes.hist([100 * row.total_dislikes / row.total_likes for row in known], bins=28, color="tab:orange")
axes.set(title="Dislikes, % of likes", xlabel="%", ylabel="videos", xlim=(0, 10.5))

figure.savefig(Path(__file__).with_name("simulator.png"), dpi=110)
