"""Who may do what with the platform's buckets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.warehouse.__main__ import Administration

_ON_OBJECTS = (
    "PutObject", "AbortMultipartUpload", "GetObject", "GetObjectVersion", "DeleteObject", "DeleteObjectVersion",
    "GetObjectTagging", "PutObjectTagging", "ListMultipartUploadParts",
)  # fmt: skip
_ON_BUCKETS = (
    "ListBucket", "ListBucketVersions", "ListBucketMultipartUploads", "GetBucketLocation", "GetBucketVersioning",
)  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """A user of the S3 server: its name, and its access key with the secret."""

    name: str
    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Identities:
    """The administrator may do everything, the pipeline works in its buckets, the generator puts into raw."""

    admin: Identity
    etl: Identity
    generator: Identity

    @classmethod
    def of(cls, settings: Administration) -> "Identities":
        """Read them from the settings.

        Raises:
            PermanentError: if a key is not set.
        """
        names = {"admin": "s3_admin", "etl": "s3", "generator": "generator"}
        return cls(
            *(
                Identity(name, settings.secret(f"{key}_access_key_id"), settings.secret(f"{key}_secret_access_key"))
                for name, key in names.items()
            )
        )

    def require_different_keys(self) -> None:
        """Check that no identity has the rights of another.

        Raises:
            PermanentError: if two of them share an access key.
        """
        people = (self.admin, self.etl, self.generator)
        if len({person.access_key for person in people}) < len(people):
            raise PermanentError(
                "Two S3 identities have the same access key id, so one would have the rights of the other. "
                "Give MDP_S3_ADMIN_ACCESS_KEY_ID, MDP_S3_ACCESS_KEY_ID and MDP_GENERATOR_ACCESS_KEY_ID "
                "different values in .env."
            )


@dataclass(frozen=True)
class Buckets:
    """Names of the platform's buckets."""

    raw: str
    staging: str
    archive: str
    quarantine: str

    @classmethod
    def of(cls, settings: Settings) -> "Buckets":
        """Read them from the settings."""
        return cls(settings.raw_bucket, settings.staging_bucket, settings.archive_bucket, settings.quarantine_bucket)

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (self.raw, self.staging, self.archive, self.quarantine)


def policies(buckets: Buckets, uploading: Sequence[str] = ("PutObject",)) -> dict[str, Mapping[str, Any]]:
    """Return the policy documents of the pipeline and the generator, by the identity's name.

    Args:
        buckets: their names.
        uploading: what the generator may do in raw.
    """
    statements = {
        "etl": [_allow(_ON_OBJECTS, [f"{name}/*" for name in buckets.names]), _allow(_ON_BUCKETS, buckets.names)],
        "generator": [_allow(uploading, [f"{buckets.raw}/*"])],
    }
    return {name: {"Version": "2012-10-17", "Statement": rules} for name, rules in statements.items()}


def _allow(actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": [f"s3:{action}" for action in actions],
        "Resource": [f"arn:aws:s3:::{resource}" for resource in resources],
    }
