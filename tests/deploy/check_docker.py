"""The running Docker mode, from upload to card: CI runs it after `docker compose -f deploy/compose.yaml up -d`.

`MDP_COMPOSE` replaces the command that reaches the stack; `-k "not metabase"` leaves Metabase out.
"""

import csv
import io
import json
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.compose_model import PROJECT

COMPOSE = os.environ.get("MDP_COMPOSE", "docker compose -f deploy/compose.yaml").split()
COLUMNS = (
    "video_id,channel_id,channel_name,channel_subscribers,description,"
    "total_views,total_likes,total_dislikes,date_created,date_updated"
)


def compose(*arguments: str) -> str:
    done = subprocess.run([*COMPOSE, *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def mdp(*arguments: str, folder: Path = PROJECT / "tests" / "deploy") -> Any:
    """Run the command `mdp` in the image that sets the platform up."""
    folder.chmod(0o755)
    out = compose(
        "run", "--rm", "-T", "--no-deps", "-v", f"{folder}:/data:ro", "--entrypoint", "python", "migrate",
        "-m", "operate.cli", *arguments, "--json",
    )  # fmt: skip
    return json.loads(out)


def snapshot(video: str, views: list[int]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS.split(","))
    for minute, count in enumerate(views):
        instant = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minute)
        writer.writerow([video, "check", "Check", 1, "", count, 0, 0, "2020-01-01 00:00:00", f"{instant:%F %T}"])
    return out.getvalue()


def test_every_service_is_well_and_every_step_is_done() -> None:
    deadline = time.monotonic() + 300
    while True:
        lines = [json.loads(line) for line in compose("ps", "--all", "--format", "json").splitlines()]
        assert {line["Service"] for line in lines} >= {"warehouse", "minio", "generator", "scheduler", "dashboards"}
        assert not [line for line in lines if line["State"] == "exited" and line["ExitCode"]]
        well = {line["Service"] for line in lines if line["State"] == "exited" or line["Health"] == "healthy"}
        wanting = {line["Service"] for line in lines} - well
        if not wanting:
            return
        assert time.monotonic() < deadline, wanting
        time.sleep(2)


def test_an_upload_becomes_rows(tmp_path: Path) -> None:
    video = f"check-{time.time_ns()}"
    (tmp_path / f"{video}.csv").write_text(snapshot(video, [5, 9]))
    mdp("upload", f"/data/{video}.csv", "--prefix", "youtube_stats", "--wait", folder=tmp_path)
    [file] = [f for f in mdp("files") if f["key"] == f"youtube_stats/{video}.csv"]
    assert (file["state"], file["rows_loaded"]) == ("archived", 2)
    rows = mdp("sql", f"select total_views from video_metrics where video_id = '{video}' order by date_updated")
    assert [row["total_views"] for row in rows] == [5, 9]


def test_a_bad_upload_ends_in_quarantine_with_its_reason(tmp_path: Path) -> None:
    name = f"bad-{time.time_ns()}.csv"
    (tmp_path / name).write_text("video_id,views\na,1\n")
    mdp("upload", f"/data/{name}", "--prefix", "youtube_stats", "--wait", folder=tmp_path)
    [file] = [f for f in mdp("files") if f["key"] == f"youtube_stats/{name}"]
    assert (file["state"], file["reasons"]) == ("quarantined", ["missing_column"])


def test_the_generators_snapshots_arrive() -> None:
    deadline = time.monotonic() + 300
    while not [f for f in mdp("files") if f["state"] == "archived" and not f["key"].startswith("youtube_stats/check")]:
        assert time.monotonic() < deadline
        time.sleep(5)


def test_the_generators_key_may_put_and_nothing_else() -> None:
    code = """
import os
from pathlib import Path
import obstore
from obstore.store import S3Store
secret = lambda name: (Path("/run/mdp") / name).read_text()
stores = {
    bucket: S3Store(bucket, endpoint=os.environ["MDP_S3_ENDPOINT"], virtual_hosted_style_request=False,
        access_key_id=secret("MDP_GENERATOR_ACCESS_KEY_ID"), region="us-east-1",
        secret_access_key=secret("MDP_GENERATOR_SECRET_ACCESS_KEY"), client_options={"allow_http": True})
    for bucket in ("raw", "archive")
}
attempts = {
    "list": lambda: list(obstore.list(stores["raw"])),
    "get": lambda: obstore.get(stores["raw"], "x.csv"),
    "delete": lambda: obstore.delete(stores["raw"], "x.csv"),
    "copy": lambda: obstore.copy(stores["raw"], "x.csv", "y.csv"),
    "put elsewhere": lambda: obstore.put(stores["archive"], "x.csv", b"x"),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except obstore.exceptions.BaseError as error:
        assert "403" in str(error) or "denied" in str(error).lower(), (name, error)
    else:
        raise SystemExit(name + " was allowed")
print(sorted(os.listdir("/run/mdp")))
"""
    out = compose("exec", "-T", "generator", "python", "-c", code)
    assert out.strip() == "['MDP_GENERATOR_ACCESS_KEY_ID', 'MDP_GENERATOR_SECRET_ACCESS_KEY']"


def test_the_generator_stops_when_it_is_told_to() -> None:
    began = time.monotonic()
    compose("stop", "--timeout", "30", "generator")
    assert time.monotonic() - began < 25, "it had to be killed"
    [line] = [json.loads(line) for line in compose("ps", "--all", "--format", "json", "generator").splitlines()]
    assert line["ExitCode"] == 0
    compose("start", "generator")


def test_nothing_listens_to_the_network() -> None:
    for line in map(json.loads, compose("ps", "--format", "json").splitlines()):
        for port in line.get("Publishers") or []:
            assert not port["PublishedPort"] or port["URL"] == "127.0.0.1", line["Service"]


@pytest.mark.parametrize("path", ["/api/health", "/api/session/properties"])
def test_metabase_answers_and_is_claimed(path: str) -> None:
    answer = compose("exec", "-T", "metabase", "curl", "-fsS", f"http://127.0.0.1:3000{path}")
    assert json.loads(answer).get("setup-token") is None


def test_metabase_shows_every_card() -> None:
    """`dashboards check` asks every card for its data, as Metabase itself would."""
    compose("run", "--rm", "-T", "--no-deps", "dashboards", "dashboards", "check")
