"""The settings of the platform: one frozen model, read from `MDP_*` variables, with no default secret."""

import os
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from minidata.errors import PermanentError

PROJECT = Path(__file__).resolve().parent.parent
_Model = TypeVar("_Model", bound=BaseSettings)


class Settings(BaseSettings):
    """Everything that can be set from outside. Each field `x` is read from the variable `MDP_X`."""

    model_config = SettingsConfigDict(env_prefix="MDP_", frozen=True, extra="ignore", env_ignore_empty=True)

    database_host: str = Field("127.0.0.1", description="Host of the PostgreSQL server that holds the warehouse.")
    database_port: int = Field(5432, ge=1, le=65535, description="Its port.")
    database_name: str = Field("warehouse", description="Its database.")
    database_tls: str = Field(
        "disable",
        pattern="^(disable|require|verify-ca|verify-full)$",
        description="How the connection is encrypted; a server elsewhere wants `verify-full`.",
    )
    owner_password: SecretStr | None = Field(None, description="Of `mdp_owner`, which runs the migrations.")
    loader_password: SecretStr | None = Field(None, description="Of `mdp_loader`, which the pipeline uses.")
    bi_password: SecretStr | None = Field(None, description="Of `mdp_bi`, which may only read `mart`.")

    s3_endpoint: str = Field("http://127.0.0.1:8333", description="Address of the S3 server.")
    s3_region: str = Field("us-east-1", description="Its region.")
    s3_access_key_id: str | None = Field(None, description="Key of the pipeline: reads and moves objects.")
    s3_secret_access_key: SecretStr | None = Field(None, description="Secret of the pipeline's key.")
    generator_access_key_id: str | None = Field(None, description="Key of the simulator: puts into `raw`.")
    generator_secret_access_key: SecretStr | None = Field(None, description="Secret of the simulator's key.")
    raw_bucket: str = Field("raw", description="Where snapshots are uploaded; it must be versioned.")
    staging_bucket: str = Field("staging", description="Where a batch keeps its Parquet between the steps.")
    archive_bucket: str = Field("archive", description="Where loaded snapshots end.")
    quarantine_bucket: str = Field("quarantine", description="Where bad files and rejected rows wait for a person.")
    staging_retention_hours: float = Field(24, gt=0, description="Age in hours after which staging is removed.")

    metabase_url: str | None = Field(
        None, pattern="^https?://", description="Address of a Metabase that the dashboards are drawn in."
    )
    metabase_email: str = Field("admin@mdp.example", description="Its administrator, made on a fresh server.")
    metabase_password: SecretStr | None = Field(None, description="That administrator's password.")

    datasets_folder: Path = Field(PROJECT / "datasets", description="Folder of the dataset declarations.")
    default_dataset: str = Field("youtube_stats", description="Dataset of a key that no prefix matches.")

    max_file_bytes: int = Field(5 * 2**30, gt=0, description="Largest snapshot in bytes, as stored and decompressed.")
    max_rejected_share: float = Field(
        0.1, ge=0, le=1, description="Share of rejected rows above which a whole file is quarantined."
    )
    slice_rows: int = Field(100_000, gt=0, description="Rows that the transform holds in memory at once.")
    slice_bytes: int = Field(16 * 2**20, gt=0, description="Bytes of a snapshot that validation parses at once.")
    batch_files: int = Field(200, gt=0, description="Most files of one batch.")
    batch_bytes: int = Field(256 * 2**20, gt=0, description="Most bytes of one batch; a larger file comes alone.")
    max_attempts: int = Field(5, gt=0, description="Claims after which a file that fails alone is `failed`.")
    lease_seconds: float = Field(60, gt=0, description="How long a claim lasts without a sign of life, in seconds.")
    retry_seconds: float = Field(1, ge=0, description="First delay before a file is tried again; it doubles.")
    reconcile_seconds: float = Field(30, gt=0, description="How often `raw` is listed in full, in seconds.")
    wake_seconds: float = Field(5, gt=0, description="How often unclaimed work wakes the DAG again, in seconds.")

    simulator_interval_seconds: float = Field(15, gt=0, description="Seconds between two simulated snapshots.")
    simulator_seed: int = Field(1, description="Seed of the simulated world.")
    simulator_channels: int = Field(40, gt=0, description="Channels in the simulated world.")
    simulator_videos: int = Field(400, gt=0, description="Videos in the simulated world at its start.")
    simulator_faults: str = Field("", description="Faults by rate, such as `late=0.05,malformed=0.02`.")
    simulator_backfill_hours: float = Field(6, ge=0, description="Hours of history made on the first start.")

    def secret(self, field: str) -> str:
        """Return a secret or key that must be set.

        Raises:
            PermanentError: if it is unset; there is no default secret anywhere.
        """
        value = getattr(self, field)
        if not value:
            raise PermanentError(
                f"MDP_{field.upper()} is not set. `./mdp up` makes every secret for the embedded platform; "
                "elsewhere copy example.env to .env and set it there."
            )
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read the settings from the environment, once in a process.

    Raises:
        PermanentError: if a variable has a value that its field does not take, or a secret cannot be read.
    """
    return read_settings(Settings)


def read_settings(model: type[_Model]) -> _Model:
    """Read settings: first from the environment, then, what is unset or empty there, from the files of a folder.

    The folder is the one that `MDP_SECRETS_FOLDER` names, if it is set; a file's name is the variable's, its content
    the value. A folder that was named and cannot be read is an error: nobody wants to go on without the secrets.

    Raises:
        PermanentError: if a value is one that its field does not take, or the folder cannot be read.
    """
    folder = os.environ.get("MDP_SECRETS_FOLDER") or None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # what is passed over with a warning would be missed later
            return model(_secrets_dir=folder)
    except ValidationError as error:
        lines = [f"MDP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise PermanentError("These settings are wrong; mend them in .env:\n  " + "\n  ".join(lines)) from error
    except (OSError, SettingsError, UnicodeDecodeError, UserWarning) as error:
        raise PermanentError(
            f"The secrets in {folder}, the folder of MDP_SECRETS_FOLDER, cannot be read: {error}. It holds a readable "
            "UTF-8 file for each secret, named as its variable; mend that, or unset MDP_SECRETS_FOLDER."
        ) from error
