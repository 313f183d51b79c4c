"""Which object store a platform has: SeaweedFS from its wheel, or real MinIO, built once from its source."""

from collections.abc import Callable, Mapping

from minidata.errors import PermanentError
from minidata.settings import Settings
from operate.embedded.minio.build import build
from operate.embedded.object_store import Buckets, Identities, Identity
from operate.embedded.ports import SEAWEED
from operate.embedded.state import State, Store

PORTS: dict[Store, tuple[str, ...]] = {Store.SEAWEEDFS: SEAWEED, Store.MINIO: ("s3",)}


def choose_store(state: State, wanted: Store | None, report: Callable[[str], None]) -> Store:
    """Choose the store of a new platform, for good, and see that its program is there.

    Args:
        state: the platform.
        wanted: the store; None for the one that it has, or SeaweedFS.
        report: told what is being done, in a few words.

    Raises:
        PermanentError: if the platform has another store, or MinIO cannot be built.
    """
    has = state.platform.store
    if wanted not in {None, has} and state.platform.ports:
        raise PermanentError(
            f"The platform in {state.folder} keeps its objects in {has.label}, and no store reads another's. Leave "
            f"--store out; or make another platform: ./mdp --state FOLDER up --store {wanted}"
        )
    chosen = wanted or has
    if chosen is Store.MINIO:
        build(report=report)
    if chosen is not has:
        state.remember(store=chosen)
    return chosen


def tells_of_uploads(store: Store) -> bool:
    """Tell whether a store writes its events into the inbox itself, or needs the relay."""
    return store is Store.MINIO


def buckets_of(settings: Settings) -> Buckets:
    """Return the names of the platform's buckets."""
    return Buckets(settings.raw_bucket, settings.staging_bucket, settings.archive_bucket, settings.quarantine_bucket)


def identities_of(secrets: Mapping[str, str]) -> Identities:
    """Return who has which key."""

    def identity(name: str, prefix: str) -> Identity:
        return Identity(name, secrets[f"{prefix}_ACCESS_KEY_ID"], secrets[f"{prefix}_SECRET_ACCESS_KEY"])

    return Identities(
        identity("admin", "MDP_S3_ADMIN"), identity("etl", "MDP_S3"), identity("generator", "MDP_GENERATOR")
    )
