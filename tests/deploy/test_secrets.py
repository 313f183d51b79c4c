"""The first step of the Docker mode: secrets are made, kept and handed out; nothing known ever gets in."""

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

from tests.deploy import rules
from tests.deploy.compose_model import PROJECT, rendered

SCRIPT = PROJECT / "deploy" / "secrets.sh"
HANDED = {
    "warehouse": {"MDP_ADMIN_PASSWORD"},
    "pipeline": {"MDP_LOADER_PASSWORD", "MDP_S3_ACCESS_KEY_ID", "MDP_S3_SECRET_ACCESS_KEY"},
    "generator": {"MDP_GENERATOR_ACCESS_KEY_ID", "MDP_GENERATOR_SECRET_ACCESS_KEY"},
    "metabase": {"MDP_METABASE_DATABASE_PASSWORD", "MDP_METABASE_ENCRYPTION_KEY"},
    "minio": {"minio.env"},
    "airflow": {
        "MDP_AIRFLOW_DATABASE_PASSWORD", "MDP_AIRFLOW_FERNET_KEY", "MDP_AIRFLOW_SECRET_KEY",
        "MDP_AIRFLOW_JWT_SECRET", "sql_alchemy_conn", "passwords.json",
    },
}  # fmt: skip


def example_secrets() -> set[str]:
    text = (PROJECT / "example.env").read_text(encoding="utf-8")
    found = set(re.findall(r"^(MDP_\w+)=$", text, re.MULTILINE))
    return {name for name in found if not name.startswith("MDP_SUPERSET_")}  # with Docker, Metabase is there instead


def run(root: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    (root / "airflow").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        ["sh", SCRIPT, str(root)],
        env={"PATH": "/usr/bin:/bin", **dict.fromkeys(example_secrets(), ""), **(env or {})},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def contents(root: Path) -> dict[str, str]:
    return {str(f.relative_to(root)): f.read_text() for f in sorted(root.rglob("*")) if f.is_file()}


def test_example_env_copied_by_hand_is_enough(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    made = {name: value for name, value in contents(tmp_path).items() if name.startswith("all/")}
    # Airflow's Fernet key has a form of its own, in which the platform without Docker has no use for it.
    assert {name.removeprefix("all/") for name in made} == example_secrets() | {"MDP_AIRFLOW_FERNET_KEY"}
    assert len(set(made.values())) == len(made), "two secrets are the same"
    Fernet(made.pop("all/MDP_AIRFLOW_FERNET_KEY"))
    assert all(re.fullmatch(r"[0-9a-f]{20}|[0-9a-f]{64}", value) for value in made.values())
    assert not set(made.values()) & set(done.stdout.split())


def test_each_service_gets_its_own_and_no_more(tmp_path: Path) -> None:
    run(tmp_path)
    handed = {folder.name: {f.name for f in folder.iterdir()} for folder in tmp_path.iterdir()}
    everything = handed.pop("all")
    assert handed == HANDED
    assert (
        set().union(*(v for v in HANDED.values())) - {"minio.env", "sql_alchemy_conn", "passwords.json"} <= everything
    )


def test_what_a_service_does_not_get_any_more_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "generator").mkdir(parents=True)
    (tmp_path / "generator" / "MDP_ADMIN_PASSWORD").write_text("from an older version")
    run(tmp_path)
    assert {f.name for f in (tmp_path / "generator").iterdir()} == HANDED["generator"]


def test_a_second_start_keeps_everything(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    run(tmp_path)
    assert contents(tmp_path) == before


def test_what_env_sets_goes_first_and_may_change(tmp_path: Path) -> None:
    run(tmp_path)
    mine = {"MDP_LOADER_PASSWORD": "my own loader", "MDP_GENERATOR_ACCESS_KEY_ID": "mine"}
    run(tmp_path, mine)
    after = contents(tmp_path)
    assert after["all/MDP_LOADER_PASSWORD"] == after["pipeline/MDP_LOADER_PASSWORD"] == "my own loader"
    assert after["generator/MDP_GENERATOR_ACCESS_KEY_ID"] == "mine"
    run(tmp_path)
    assert contents(tmp_path) == after, "an emptied line of .env keeps the last value: the servers know it"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MDP_ADMIN_PASSWORD", "admin"),
        ("MDP_LOADER_PASSWORD", "secret"),
        ("MDP_GENERATOR_ACCESS_KEY_ID", "ab"),
        ("MDP_BI_PASSWORD", "two\nlines long"),
    ],
)
def test_a_weak_or_broken_value_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    done = run(tmp_path, {name: value})
    assert done.returncode == 1
    assert name in done.stderr
    assert value not in done.stderr
    assert not (tmp_path / "warehouse").exists(), "nobody gets anything"


@pytest.mark.parametrize(
    "password", ["plain-enough", "qu'o\\te and blank", 'a"b$c`d%e', "ünï🎬code", "x=y#z;w}", "'quoted all'"]
)
def test_any_password_arrives_as_it_was_set(tmp_path: Path, password: str) -> None:
    done = run(tmp_path, dict.fromkeys(example_secrets() | {"MDP_EVENTS_PASSWORD"}, password))
    assert (done.returncode, done.stderr) == (0, "")
    files = contents(tmp_path)
    assert files["all/MDP_ADMIN_PASSWORD"] == password
    assert json.loads(files["airflow/passwords.json"]) == {"admin": password}
    url = urlsplit(files["airflow/sql_alchemy_conn"])
    assert (unquote(url.password or ""), url.hostname, url.username) == (password, "postgres", "airflow")
    lines = {k: v[1:-1] for k, _, v in (line.partition("=") for line in files["minio/minio.env"].splitlines())}
    assert lines["MINIO_ROOT_PASSWORD"] == password
    # The driver that MinIO uses takes any server setting in the string; libpq, which is asked here, does not.
    inbox = lines["MINIO_NOTIFY_POSTGRES_CONNECTION_STRING_INBOX"].replace(" search_path=mdp", "")
    assert conninfo_to_dict(inbox) == {
        "host": "warehouse", "port": "5432", "dbname": "warehouse", "sslmode": "disable",
        "user": "mdp_events", "password": password,
    }  # fmt: skip


def test_a_killed_run_leaves_no_half_secret(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir(parents=True)
    (tmp_path / "all" / "MDP_ADMIN_PASSWORD.new").write_text("hal")
    (tmp_path / "all" / "MDP_OWNER_PASSWORD").write_text("")
    run(tmp_path)
    assert len((tmp_path / "all" / "MDP_ADMIN_PASSWORD").read_text()) == 64
    assert len((tmp_path / "all" / "MDP_OWNER_PASSWORD").read_text()) == 64


def test_every_file_that_a_service_reads_is_handed_to_it(tmp_path: Path) -> None:
    """The names in the Compose files against what the script really writes."""
    run(tmp_path)
    services = rendered("compose")["services"]
    checked = 0
    for service in services.values():
        for volume, target in rules.volumes_of(service).items():
            if not volume.startswith("secrets_") or target.startswith("/secrets/"):
                continue
            words = " ".join([*service["environment"].values(), *map(str, service.get("command") or [])])
            for file in re.findall(rf"{target}/([\w.]+)", words):
                assert (tmp_path / volume.removeprefix("secrets_") / file).is_file(), f"{volume}: {file}"
                checked += 1
    assert checked >= 15
