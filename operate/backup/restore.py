"""Restore of a backup into an empty state.

The copied database may know a file as waiting in raw whose content was read from the archive a moment later, and the
buckets hold files that it does not know yet. Every file that it does not know as finished goes back into raw with its
time of arrival, and is processed as if the platform had just been restarted.
"""

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from minidata import ledger
from minidata.dataset import dataset_of, declared_datasets
from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from operate.backup.folder import Description, Folder, StoredObject
from operate.backup.make import Report
from operate.embedded.files import write_private
from operate.embedded.postgres import home
from operate.embedded.settings import embedded_settings, secrets_file
from operate.embedded.start import start_servers
from operate.embedded.state import State
from operate.embedded.stop import stop_platform

_POSTGRES = 18  # major version of the server that is installed with this program


@dataclass(frozen=True)
class Upload:
    """A version of a file as it once lay in raw, and where the backup has its content."""

    key: str
    version: str
    arrived_at: str
    content: StoredObject


def restore(state: State, path: Path, report: Report) -> Description:
    """Make a platform of a backup, stopped; `./mdp up` starts it.

    Args:
        state: its folder, which must hold no platform.
        path: of the backup.
        report: told what is being done, in a few words.

    Returns:
        What the backup holds.

    Raises:
        PermanentError: if there is a platform already, or the backup is incomplete, damaged or of another version;
            then nothing is changed.
    """
    folder = Folder(path)
    description = folder.describe()
    _require_fitting(state, folder, description)
    report("checking the backup")
    folder.verify(description)
    State.open(state.folder)
    with state.exclusive():
        report("restoring the database")
        write_private(secrets_file(state), folder.secrets.read_bytes())
        _restore_database(state, folder)
        if (path / "simulator.json").exists():
            shutil.copy2(path / "simulator.json", state.folder)
        state.remember(
            settings=description.settings,
            store=description.store,
            services=description.services,
            airflow_version=description.airflow_version,
        )
    os.environ.update(description.settings)  # a start takes the settings of its environment, such as names of buckets
    try:
        start_servers(state, lambda title, doing: report(f"{title}: {doing}") if doing else None)
        settings: Settings = embedded_settings(state)
        store = ObjectStore(settings)
        report("restoring the buckets")
        _restore_objects(settings, store, folder)
        with closing(connect(settings, "loader")) as connection:
            ledger.release_all(connection, "The platform was restored.", settings)
            _put_back(settings, store, connection, folder)
    finally:
        stop_platform(state, lambda _title, _doing: None)
    return description


def _require_fitting(state: State, folder: Folder, description: Description) -> None:
    if state.exists():
        raise PermanentError(
            f"There is a platform in {state.folder} already. Restore into another folder with --state, or remove this "
            "one with `./mdp destroy`."
        )
    if description.postgres != _POSTGRES:
        raise PermanentError(
            f"The backup in {folder.path} is of PostgreSQL {description.postgres}; this version of mdp has "
            f"{_POSTGRES}. Restore it with the version that made it."
        )
    secrets = secrets_file(state)
    if secrets.exists() and secrets.read_bytes() != folder.secrets.read_bytes():
        raise PermanentError(
            f"{secrets} holds other passwords than the backup. Move it away; the restored platform needs its own."
        )


def _restore_database(state: State, folder: Folder) -> None:
    place = home.choose(state)
    new = place.folder / "data.restored"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(folder.postgres, new, symlinks=True)
    if place.user is not None:
        for parent, folders, files in os.walk(new):
            for name in (".", *folders, *files):
                os.chown(Path(parent) / name, place.user.pw_uid, place.user.pw_gid, follow_symlinks=False)
    new.chmod(0o700)
    new.rename(place.data)


def _restore_objects(settings: Settings, store: ObjectStore, folder: Folder) -> None:
    for item in folder.objects():
        if item.bucket != "raw":
            with folder.content(item.sha256).open("rb") as content:
                store.write(getattr(settings, f"{item.bucket}_bucket"), item.key, content, item.metadata)


def _put_back(settings: Settings, store: ObjectStore, connection: Connection, folder: Folder) -> None:
    """Upload again what the ledger does not know as finished, and tell the ledger the ids of the new versions."""
    datasets = list(declared_datasets(settings).values())
    known = ledger.known_versions(connection)
    done = set()
    for upload in _uploads(folder):
        name = (upload.key, upload.version)
        if known.get(name, False) or name in done:
            continue
        done.add(name)
        with folder.content(upload.content.sha256).open("rb") as content:
            version = store.write(settings.raw_bucket, upload.key, content, upload.content.metadata)
        if name in known:
            ledger.replace_version(connection, *name, version)
        else:
            dataset = dataset_of(upload.key, datasets, settings.default_dataset)
            arrived = datetime.fromisoformat(upload.arrived_at)
            ledger.enter_version(connection, upload.key, version, upload.content.size, arrived, dataset)


def _uploads(folder: Folder) -> Iterator[Upload]:
    """Yield every upload of the backup in the order of arrival; a moved one has its name in the metadata."""
    found = [upload for item in folder.objects() if (upload := _upload(item))]
    yield from sorted(found, key=lambda upload: (upload.arrived_at, upload.key, upload.version))


def _upload(item: StoredObject) -> Upload | None:
    if item.bucket == "raw":
        return None if item.key.endswith("/") else Upload(item.key, item.version, item.arrived_at, item)
    told = item.metadata
    if "mdp-version" not in told:
        return None  # a page of reasons, or rejected rows
    key = base64.b64decode(told["mdp-key-base64"]).decode() if "mdp-key-base64" in told else unquote(told["mdp-key"])
    return Upload(key, told["mdp-version"], told["mdp-arrived-at"], item)
