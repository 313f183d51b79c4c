"""Backup of a platform while it runs.

The database is copied between two readings of the buckets. A file only ever moves from raw to archive or quarantine, so
whatever the copied database says of a file, its content was read before or after: from raw, or from the place that it
was moved to. `restore` brings the two together.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from minidata.errors import NotRunningError, ObjectGoneError
from minidata.store import ObjectStore, ObjectVersion
from minidata.warehouse.__main__ import Administration
from minidata.warehouse.connection import connect
from operate.backup.folder import FORMAT, Description, Folder, StoredObject, digest_of, line, now
from operate.embedded import processes
from operate.embedded.files import write_private
from operate.embedded.postgres import home
from operate.embedded.preflight import require_space
from operate.embedded.settings import embedded_settings, secrets_file
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor

_SETTLED = ("archive", "quarantine")
_TITLES = {"raw": "raw", "archive": "the archive", "quarantine": "quarantine"}

Report = Callable[[str], None]


def back_up(state: State, path: Path, report: Report) -> Description:
    """Write a backup of a running platform into a new or empty folder.

    Args:
        state: the platform.
        path: of the folder.
        report: told what is being done, in a few words.

    Returns:
        What the backup holds.

    Raises:
        NotRunningError: if the platform does not run.
        PermanentError: if the folder is not empty, the disk is full, or PostgreSQL's own program fails.
    """
    if not Supervisor(state).running():
        raise NotRunningError(f"The platform in {state.folder} is not running. Start it with `./mdp up`.")
    settings: Administration = embedded_settings(state, Administration)
    folder, place = Folder(path), home.choose(state)
    folder.create()
    needed = sum(file.stat().st_size for file in place.data.rglob("*") if file.is_file())
    require_space(path, needed, "the database alone takes", "Free some, or choose another disk.")
    store = ObjectStore(settings)
    with folder.manifest.open("w", encoding="utf-8") as manifest:
        seen: set[tuple[str, str, str]] = set()

        def read(bucket: str) -> None:
            report(f"reading {_TITLES[bucket]}")
            name = getattr(settings, f"{bucket}_bucket")
            for item in _objects(folder, store, bucket, name, seen):
                manifest.write(line(item))

        read("raw")
        report("copying the database")
        _copy_database(place, settings, folder)
        for bucket in (*_SETTLED, "raw"):  # last of all what came meanwhile
            read(bucket)
    write_private(folder.secrets, secrets_file(state).read_bytes())
    if (state.folder / "simulator.json").exists():
        shutil.copy2(state.folder / "simulator.json", path)
    report("checking")
    description = _describe(state, settings, folder)
    folder.finish(description)
    return description


def _objects(
    folder: Folder, store: ObjectStore, bucket: str, name: str, seen: set[tuple[str, str, str]]
) -> Iterator[StoredObject]:
    """Copy the versions of a bucket that have not been seen yet; one that is moved meanwhile is read elsewhere."""
    for version in store.versions(name):
        if (bucket, version.key, version.version) in seen:
            continue
        try:
            which = version.version if version.version != "null" else None
            metadata = store.metadata(name, version.key, which)
            sha256, size = folder.add(store.read(name, version.key, which))
        except ObjectGoneError:
            continue
        seen.add((bucket, version.key, version.version))
        yield _stored(bucket, version, metadata, sha256, size)


def _stored(bucket: str, version: ObjectVersion, metadata: dict[str, str], sha256: str, size: int) -> StoredObject:
    arrived = version.modified.isoformat()
    return StoredObject(bucket, version.key, version.version, arrived, metadata, sha256, size)


def _copy_database(place: home.Home, settings: Administration, folder: Folder) -> None:
    """Take a base backup with the write-ahead log that makes it consistent, and check it against its manifest."""
    environment = processes.clean_environment(folder.path) | {"PGPASSWORD": settings.secret("admin_password")}
    server = ["-h", settings.database_host, "-p", str(settings.database_port), "-U", settings.admin_user]
    processes.run(
        [
            str(place.binaries / "pg_basebackup"),
            *server,
            "-w",
            "-D",
            str(folder.postgres),
            "-X",
            "stream",
            "-c",
            "fast",
        ],
        "PostgreSQL could not be copied.",
        environment,
        folder.path,
    )
    processes.run(
        [str(place.binaries / "pg_verifybackup"), "-q", str(folder.postgres)],
        "The copy of PostgreSQL is damaged.",
        processes.clean_environment(folder.path),
        folder.path,
    )


def _describe(state: State, settings: Administration, folder: Folder) -> Description:
    with closing(connect(settings, "owner")) as owner:
        migrations = owner.execute("select name from public.mdp_migrations order by name").fetchall()
        server = owner.info.server_version // 10_000
    sizes = [item.size for item in folder.objects()]
    platform = state.platform
    return Description(
        format=FORMAT,
        made_at=now(),
        postgres=server,
        migrations=[name for (name,) in migrations],
        settings=platform.settings,
        services=platform.services,
        store=platform.store,
        airflow_version=platform.airflow_version,
        objects=len(sizes),
        bytes=sum(sizes),
        manifest_sha256=digest_of(folder.manifest),
    )
