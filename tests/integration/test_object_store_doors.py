"""The embedded object store: no one gets in by a side door, keys have only their own rights, events arrive."""

import contextlib
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from minidata.errors import PermanentError
from minidata.ledger import keys_of
from minidata.warehouse.__main__ import Administration
from minidata.warehouse.connection import connect
from minidata.warehouse.databases import create_warehouse
from minidata.warehouse.migrate import migrate
from operate.embedded import ports, processes
from operate.embedded.launcher import SERVICES
from operate.embedded.object_store import certificates, doors, seaweedfs
from operate.embedded.postgres import home as postgres_home
from operate.embedded.postgres import server as postgres
from operate.embedded.settings import embedded_settings, make_secrets
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor
from operate.s3 import client as s3
from operate.s3.access import Buckets, Identities, Identity

NAMES = Buckets("raw", "staging", "archive", "quarantine")
CHOSEN = ("postgres", "object-store", "relay")


@dataclass(frozen=True)
class Running:
    """A platform of which PostgreSQL, the object store and the relay run."""

    state: State
    settings: Administration
    people: Identities
    supervisor: Supervisor

    def client(self, person: Identity) -> Any:
        return s3.connect(self.settings.s3_endpoint, person)

    def wait(self) -> None:
        admin = self.client(self.people.admin)
        self.supervisor.wait("object-store", lambda: s3.probe(admin, NAMES.staging), 60)

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(next(info.pid for info in self.supervisor.info() if info.name == name))

    def put(self, key: str, content: bytes = b"x") -> None:
        self.client(self.people.generator).put_object(Bucket="raw", Key=key, Body=content)

    def contents(self, key: str) -> list[bytes]:
        """Return the content of every version of a key, newest first."""
        client = self.client(self.people.etl)
        found = client.list_object_versions(Bucket="raw", Prefix=key).get("Versions", [])
        ids = [version["VersionId"] for version in found if version["Key"] == key]
        return [client.get_object(Bucket="raw", Key=key, VersionId=i)["Body"].read() for i in ids]

    def told(self) -> list[str]:
        """Return the keys that events have named so far, one for each event."""
        with connect(self.settings, "loader") as connection:
            rows = connection.execute("select event_data from mdp.inbox order by inbox_id").fetchall()
        return [key for (event,) in rows for key in keys_of(event, "raw")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state = State.open(tmp_path_factory.mktemp("état") / "a $HOME, b")
    make_secrets(state)
    ports.choose_ports(state, ["postgres", *ports.SEAWEED])
    settings = embedded_settings(state, Administration)
    people = Identities.of(settings)
    supervisor = Supervisor(state)
    platform = Running(state, settings, people, supervisor)
    try:
        postgres.initialise(state, postgres_home.choose(state), settings.secret("admin_password"))
        seaweedfs.write_config(state.weed, people, NAMES)
        supervisor.launch([SERVICES[name] for name in CHOSEN])
        supervisor.start("object-store")
        supervisor.start("postgres")
        supervisor.wait("postgres", lambda: postgres.probe(settings), 60)
        with postgres.connect_administrator(settings) as admin:
            create_warehouse(admin, platform.settings)
        with connect(platform.settings, "owner") as owner:
            migrate(owner)
        client = platform.client(people.admin)
        supervisor.wait("object-store", lambda: s3.create_buckets(client, NAMES), 60)
        platform.wait()
        supervisor.start("relay")
        platform.put("secret-name.csv", b"secret")
        until(lambda: platform.told() == ["secret-name.csv"])
        yield platform
    finally:
        supervisor.shutdown()
        seaweedfs.clear_sockets(state)
        postgres_home.remove(state)
    assert processes.find(state.folder) == []


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that must come true; a minute is long here."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refused(call: Callable[..., object], **arguments: object) -> bool:
    """Tell whether a call of S3 is refused for want of rights."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return False


def test_every_side_door_is_closed(running: Running) -> None:
    doors.require_closed(running.state)


def test_an_open_door_is_noticed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "port", lambda self, service: running.settings.database_port - ports.GRPC_OFFSET)
    monkeypatch.setattr(doors, "refuses", lambda port, greeting: False)
    with pytest.raises(PermanentError, match=str(running.settings.database_port)):
        doors.require_closed(running.state)


def test_a_server_without_tls_counts_as_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(doors.refuses, server.getsockname()[1])
        connection, _ = server.accept()
        with connection:
            connection.sendall(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))  # the SETTINGS frame of HTTP/2
            assert answer.result() is False


def test_it_listens_on_loopback_only(running: Running) -> None:
    connections = running.process("object-store").net_connections("tcp")
    listening = {connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN}
    assert {address.ip for address in listening} == {"127.0.0.1"}
    expected = {port for name in ports.SEAWEED for port in ports.listens_on(name, running.state.port(name))}
    assert {address.port for address in listening} == expected


def test_an_anonymous_s3_client_gets_nothing(running: Running) -> None:
    client = boto3.client(
        "s3", endpoint_url=running.settings.s3_endpoint, region_name="us-east-1",
        config=Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )  # fmt: skip
    assert refused(client.list_buckets)
    assert refused(client.list_objects_v2, Bucket="raw")
    assert refused(client.list_object_versions, Bucket="raw")
    assert refused(client.get_object, Bucket="raw", Key="secret-name.csv")
    assert refused(client.put_object, Bucket="raw", Key="new.csv", Body=b"x")
    assert refused(client.delete_object, Bucket="raw", Key="secret-name.csv")
    assert refused(client.create_bucket, Bucket="new-bucket")


def test_a_wrong_secret_gets_nothing(running: Running) -> None:
    client = running.client(Identity("etl", running.people.etl.access_key, "wrong"))
    assert refused(client.list_objects_v2, Bucket="raw")


def answer(port: int, certificate: certificates.Certificates | None) -> bytes:
    """Return what an HTTPS side door answers a holder of a certificate."""
    context = ssl._create_unverified_context()
    if certificate:
        context.load_cert_chain(certificate.certificate, certificate.key)
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 10) as plain,
            context.wrap_socket(plain) as connection,
        ):
            connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            return connection.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.mark.parametrize("service", ["master", "volume", "filer"])
def test_http_side_doors_want_our_certificate(running: Running, tmp_path: Path, service: str) -> None:
    port = running.state.port(service)
    assert answer(port, None) == b""
    assert answer(port, certificates.issue(tmp_path)) == b""
    assert answer(port, certificates.issue(running.state.weed)).startswith(b"HTTP/1.")


def test_unix_sockets_of_grpc_are_closed_as_well(running: Running) -> None:
    """The server makes them in /tmp, and no option moves them."""
    found = {c.laddr for c in running.process("object-store").net_connections("unix") if "grpc" in str(c.laddr)}
    assert len(found) == len(ports.SEAWEED)
    for path in found:
        assert Path(path).stat().st_mode & 0o077 == 0
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(path)
            connection.sendall(doors._GRPC)
            assert connection.recv(64)[:1] in {b"", b"\x15"}  # hung up, or a TLS alert


WEED_COMMANDS = (
    "fs.ls -l /buckets/raw\nfs.rm -rf /buckets/raw/secret-name.csv.versions\nfs.meta.cat /etc/iam/identity.json\n"
    "s3.configure -user thief -access_key thief -secret_key thiefthief -actions Admin -apply\n"
    "s3.bucket.delete -name raw\nexit\n"
)


def weed_shell(running: Running, folder: Path, commands: str, seconds: float) -> str:
    """Run a `weed shell` in a folder, for so long at most, and return what it printed."""
    weed = seaweedfs.command(running.state)[0]
    master, filer = (f"127.0.0.1:{running.state.port(name)}" for name in ("master", "filer"))
    shell = subprocess.Popen(
        [weed, "shell", f"-master={master}", f"-filer={filer}"],
        cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        return shell.communicate(commands, timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        shell.kill()
        return shell.communicate()[0]


def test_our_own_weed_shell_sees_the_object(running: Running) -> None:
    assert "secret-name.csv" in weed_shell(running, running.state.weed, "fs.ls -l /buckets/raw\nexit\n", 60)


@pytest.mark.parametrize("certificate", ["none", "self-made"])
def test_a_foreign_weed_shell_can_neither_list_nor_delete_nor_configure(
    running: Running, tmp_path: Path, certificate: str
) -> None:
    if certificate == "self-made":
        seaweedfs.write_config(tmp_path, running.people, NAMES)
    printed = weed_shell(running, tmp_path, WEED_COMMANDS, 10)
    assert "secret-name" not in printed
    assert running.people.etl.secret_key not in printed
    assert running.contents("secret-name.csv") == [b"secret"]
    thief = running.client(Identity("thief", "thief", "thiefthief"))
    assert refused(thief.list_buckets)


EXPIRY = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
SETTINGS: dict[str, dict[str, Any]] = {
    "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Suspended"}},
    "put_bucket_lifecycle_configuration": {"LifecycleConfiguration": {"Rules": [EXPIRY]}},
    "delete_bucket_lifecycle": {},
    "put_bucket_cors": {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}},
    "put_bucket_policy": {"Policy": "{}"},
    "delete_bucket_policy": {},
    "put_bucket_acl": {"ACL": "public-read"},
    "put_bucket_tagging": {"Tagging": {"TagSet": []}},
    "delete_bucket": {},
}


def refused_settings(client: Any) -> set[str]:
    """Return which of the calls that change the bucket itself are refused."""
    return {name for name, arguments in SETTINGS.items() if refused(getattr(client, name), Bucket="raw", **arguments)}


def test_an_upload_cannot_make_itself_public(running: Running) -> None:
    client = running.client(running.people.generator)
    client.put_object(Bucket="raw", Key="public.csv", Body=b"x", ACL="public-read")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{running.settings.s3_endpoint}/raw/public.csv")


def test_the_generator_may_put_and_nothing_else(running: Running) -> None:
    client = running.client(running.people.generator)
    running.put("generated.csv", b"first")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket="raw", Key="generated.csv", Body=b"x", IfNoneMatch="*")
    listed = running.client(running.people.etl).list_object_versions(Bucket="raw", Prefix="generated.csv")
    version = listed["Versions"][0]["VersionId"]
    assert refused(client.get_object, Bucket="raw", Key="generated.csv")
    assert refused(client.get_object, Bucket="raw", Key="generated.csv", VersionId=version)
    assert refused(client.list_objects_v2, Bucket="raw")
    assert refused(client.list_object_versions, Bucket="raw")
    assert refused(client.delete_object, Bucket="raw", Key="generated.csv")
    assert refused(client.delete_object, Bucket="raw", Key="generated.csv", VersionId=version)
    batch = {"Objects": [{"Key": "generated.csv", "VersionId": version}]}
    with contextlib.suppress(ClientError):  # refused as a whole or object by object; what counts is the last line
        client.delete_objects(Bucket="raw", Delete=batch)
    assert refused(client.put_object, Bucket="archive", Key="x", Body=b"x")
    assert refused_settings(client) == set(SETTINGS)
    assert running.contents("generated.csv") == [b"first"]


def test_the_pipeline_may_work_in_its_buckets_and_make_none(running: Running) -> None:
    client = running.client(running.people.etl)
    running.put("moved.csv", b"moved")
    version = client.list_object_versions(Bucket="raw", Prefix="moved.csv")["Versions"][0]["VersionId"]
    source = {"Bucket": "raw", "Key": "moved.csv", "VersionId": version}
    client.copy_object(Bucket="archive", Key="moved.csv", CopySource=source)
    client.delete_object(Bucket="raw", Key="moved.csv", VersionId=version)
    assert client.get_object(Bucket="archive", Key="moved.csv")["Body"].read() == b"moved"
    assert running.contents("moved.csv") == []
    assert refused(client.create_bucket, Bucket="new-bucket")
    assert refused_settings(client) == set(SETTINGS)


def test_making_the_buckets_again_changes_nothing(running: Running) -> None:
    running.put("again.csv", b"1")
    s3.create_buckets(running.client(running.people.admin), NAMES)
    running.put("again.csv", b"2")
    assert running.contents("again.csv") == [b"2", b"1"]


KEYS = [
    "plain.csv", "with blank/a b.csv", "ünï/日本 ☃.csv", "plus+per%cent%41&=#?.csv", "deep/er/and/deeper.csv",
    "quote\"'.csv", "x.versions", ".hidden", "dots../a..csv",
]  # fmt: skip


def test_each_new_version_is_told_with_its_key(running: Running) -> None:
    before = len(running.told())
    client = running.client(running.people.generator)
    for key in KEYS:
        running.put(f"events/{key}")
    running.put("events/plain.csv", b"overwritten")
    upload = client.create_multipart_upload(Bucket="raw", Key="events/in parts.csv")["UploadId"]
    where = {"Bucket": "raw", "Key": "events/in parts.csv", "UploadId": upload}
    tags = [client.upload_part(**where, PartNumber=n, Body=bytes(5 * 2**20))["ETag"] for n in (1, 2)]
    parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
    client.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    expected = [f"events/{key}" for key in [*KEYS, "plain.csv", "in parts.csv"]]
    until(lambda: len(running.told()) >= before + len(expected))
    assert running.told()[before:] == expected


def test_deletions_tags_and_other_buckets_are_not_told(running: Running) -> None:
    etl = running.client(running.people.etl)
    running.put("silent.csv")
    until(lambda: running.told()[-1] == "silent.csv")
    before = len(running.told())
    etl.put_object_tagging(Bucket="raw", Key="silent.csv", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    etl.put_object(Bucket="archive", Key="elsewhere.csv", Body=b"x")
    version = etl.list_object_versions(Bucket="raw", Prefix="silent.csv")["Versions"][0]["VersionId"]
    etl.delete_object(Bucket="raw", Key="silent.csv")
    etl.delete_object(Bucket="raw", Key="silent.csv", VersionId=version)
    running.put("spoken.csv")
    until(lambda: running.told()[-1] == "spoken.csv")
    assert running.told()[before:] == ["spoken.csv"]


def test_a_burst_is_told_in_full(running: Running) -> None:
    before = len(running.told())
    client = running.client(running.people.generator)
    names = [f"burst/{number:03}.csv" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client.put_object(Bucket="raw", Key=key, Body=b"x"), names))
    until(lambda: len(running.told()) >= before + len(names))
    assert sorted(running.told()[before:]) == names


def test_a_killed_relay_leaves_no_tail_and_comes_back(running: Running) -> None:
    relay = running.process("relay")
    tails = relay.children()
    assert len(tails) == 1
    relay.kill()
    until(lambda: not psutil.pid_exists(tails[0].pid))
    until(lambda: running.process("relay").pid != relay.pid and len(running.process("relay").children()) == 1)
    running.put("after-relay.csv")
    until(lambda: "after-relay.csv" in running.told())


def test_a_stopped_relay_takes_its_tail_along_and_tells_what_it_missed(running: Running) -> None:
    tails = running.process("relay").children()
    running.supervisor.stop("relay")
    assert not any(psutil.pid_exists(tail.pid) for tail in tails)
    running.put("missed.csv")
    running.supervisor.start("relay")
    until(lambda: "missed.csv" in running.told())


def test_the_relay_outlasts_a_kill_of_the_database(running: Running) -> None:
    running.process("postgres").kill()
    running.put("while-down.csv")
    running.supervisor.wait("postgres", lambda: postgres.probe(running.settings), 60)
    until(lambda: "while-down.csv" in running.told())


def test_a_kill_loses_no_acknowledged_object_and_events_go_on(running: Running) -> None:
    for number in range(2):
        keys = [f"kept/{number}-{i}.csv" for i in range(5)]
        for key in keys:
            running.put(key, key.encode())
        killed = running.process("object-store")
        killed.kill()
        until(lambda pid=killed.pid: not psutil.pid_exists(pid))
        running.wait()
        assert [running.contents(key) for key in keys] == [[key.encode()] for key in keys]
        doors.require_closed(running.state)
        key = f"after-kill-{number}.csv"
        until(lambda: len(running.process("relay").children()) == 1)
        running.put(key)
        until(lambda key=key: key in running.told())
