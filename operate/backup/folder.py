"""The folder of a backup: what it holds, and which versions it was made by."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from minidata.errors import PermanentError
from minidata.warehouse.migrate import MIGRATIONS
from operate.embedded.files import write_private
from operate.embedded.state import Store

FORMAT = 1
_CHUNK = 2**20


class Description(BaseModel):
    """What `backup.json` says; it is written last, so a backup without it is incomplete.

    Attributes:
        format: version of the backup's layout.
        made_at: when it was complete, in UTC.
        postgres: major version of the PostgreSQL server.
        migrations: names of the migrations that the warehouse has seen.
        settings: `MDP_*` settings that the user chose.
        services: those of the last `up`.
        store: the object store.
        airflow_version: that Airflow's tables were made for.
        objects: number of object versions.
        bytes: their sizes together.
        manifest_sha256: of `objects.jsonl`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    made_at: datetime
    postgres: int
    migrations: list[str]
    settings: dict[str, str]
    services: list[str]
    store: Store
    airflow_version: str | None
    objects: int
    bytes: int
    manifest_sha256: str


@dataclass(frozen=True)
class StoredObject:
    """One version of an object in the backup.

    Attributes:
        bucket: role of the bucket: `raw`, `archive` or `quarantine`.
        key: its key.
        version: the store's id of the version.
        arrived_at: when the store took it in, ISO 8601.
        metadata: the user's metadata.
        sha256: of the content, and the name of its file.
        size: in bytes.
    """

    bucket: str
    key: str
    version: str
    arrived_at: str
    metadata: dict[str, str]
    sha256: str
    size: int


class Folder:
    """A backup on disk: `postgres/`, `objects/` by SHA-256, `objects.jsonl`, `.env` and `backup.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def postgres(self) -> Path:
        """The base backup of the database server."""
        return self.path / "postgres"

    @property
    def secrets(self) -> Path:
        """The secrets of the platform."""
        return self.path / ".env"

    @property
    def manifest(self) -> Path:
        """One JSON line for each object version."""
        return self.path / "objects.jsonl"

    def create(self) -> None:
        """Make the folder, 0700.

        Raises:
            PermanentError: if it exists and is not empty.
        """
        if self.path.exists() and any(self.path.iterdir()):
            raise PermanentError(f"{self.path} is not empty. Name a new folder for the backup.")
        (self.path / "objects").mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)

    def content(self, sha256: str) -> Path:
        """Return the file of a content."""
        return self.path / "objects" / sha256[:2] / sha256

    def add(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep a content under its SHA-256, and return that and the size."""
        digest, size = hashlib.sha256(), 0
        new = self.path / "objects" / "new"
        with new.open("wb") as stream:
            for chunk in chunks:
                digest.update(chunk)
                size += stream.write(chunk)
        place = self.content(digest.hexdigest())
        place.parent.mkdir(exist_ok=True)
        new.replace(place)
        return digest.hexdigest(), size

    def objects(self) -> Iterator[StoredObject]:
        """Read the manifest."""
        with self.manifest.open(encoding="utf-8") as lines:
            yield from (StoredObject(**json.loads(line)) for line in lines)

    def finish(self, description: Description) -> None:
        """Write `backup.json`: from now on the backup is complete."""
        write_private(self.path / "backup.json", description.model_dump_json(indent=2) + "\n")

    def describe(self) -> Description:
        """Read `backup.json` and check that this version of the program can restore the backup.

        Raises:
            PermanentError: if it is no complete backup, or was made by a newer or another version.
        """
        file = self.path / "backup.json"
        try:
            told = json.loads(file.read_bytes())
            if isinstance(told, dict) and told.get("format") != FORMAT:
                raise PermanentError(
                    f"The backup in {self.path} has format {told.get('format')}; this version of mdp reads format "
                    f"{FORMAT}. Restore it with the version that made it."
                )
            found = Description.model_validate(told)
        except FileNotFoundError:
            raise PermanentError(
                f"{self.path} holds no complete backup: backup.json is missing. Name the folder of a backup that ended."
            ) from None
        except (OSError, ValueError, ValidationError) as error:
            raise PermanentError(f"{file} is damaged: {' '.join(str(error).split())}. Use another backup.") from error
        unknown = sorted(set(found.migrations) - {path.name for path in MIGRATIONS.glob("*.sql")})
        if unknown:
            raise PermanentError(
                f"The backup in {self.path} was made by a newer version of mdp, which has the migrations "
                f"{', '.join(unknown)}. Restore it with that version or a later one."
            )
        return found

    def verify(self, description: Description) -> None:
        """Compare every content with its SHA-256.

        Raises:
            PermanentError: naming the first content that is missing or changed.
        """
        if digest_of(self.manifest) != description.manifest_sha256:
            raise PermanentError(f"{self.manifest} was changed after the backup. Use another backup.")
        for sha256 in {item.sha256 for item in self.objects()}:
            file = self.content(sha256)
            if not file.exists() or digest_of(file) != sha256:
                raise PermanentError(f"{file} is missing or damaged. Use another backup.")


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def line(item: StoredObject) -> str:
    """Write an object as a line of the manifest."""
    return json.dumps(asdict(item)) + "\n"


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)
