"""Names that a browser must show and never obey, in channels, videos and keys of files."""

from minidata.settings import Settings
from minidata.warehouse.connection import connect
from tests.integration.superset_world import _load, seed

FOREIGN = "evil.example"
NAMES = (
    f"<img src=https://{FOREIGN}/x.png onerror=window.pwned=1>",
    "<script>window.pwned=1</script>",
    '<a href="javascript:window.pwned=1">click</a>',
    f"[x](javascript:window.pwned=1) ![y](https://{FOREIGN}/y.png)",
    '"><svg onload=window.pwned=1>',
    "' onmouseover='window.pwned=1",
    f"<iframe src=https://{FOREIGN}></iframe>",
)


def load_hostile_names(settings: Settings) -> None:
    """Seed the warehouse, with hostile channels and videos that outdo every other one, and hostile files."""
    rows = seed(settings)
    taken = sorted({row.date_updated for row in rows})
    hostile = [
        rows[-1]._replace(
            video_id=f"hostile{number}", channel_id=f"hostile{number}", channel_name=name, description=name,
            channel_subscribers=10**6 * (step + 1), total_views=10**7 * (step + 1) * (number + 1),
            total_likes=10**5 * step, total_dislikes=10**6 * (step + 1), date_created=taken[0], date_updated=at,
        )
        for step, at in enumerate(taken)
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    _load(settings, hostile)
    with connect(settings, "loader") as loader:
        for name in NAMES:
            loader.execute(
                "insert into mdp.files (key, version, size, arrived_at, dataset, state, reasons, message) "
                "values (%s, 'v', 9, now(), 'youtube_stats', 'quarantined', '{not_csv}', %s)",
                [f"youtube_stats/{name}.csv", name],
            )
