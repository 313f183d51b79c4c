"""The settings of the platform: one frozen model, read from `MDP_*` variables, with no default secret."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from minidata.errors import PermanentError

PROJECT = Path(__file__).resolve().parent.parent
_Model = TypeVar("_Model", bound=BaseModel)


class Settings(BaseModel):
    """All settings. `load_settings` reads each field `x` from the variable `MDP_X`."""

    model_config = ConfigDict(frozen=True)

    database_host: str = Field("127.0.0.1", description="Host of the PostgreSQL server that holds the warehouse.")
    database_port: int = Field(5432, ge=1, le=65535, description="Port of that server.")
    database_name: str = Field("warehouse", description="Database of the warehouse.")
    database_tls: str = Field(
        "disable",
        pattern="^(disable|require|verify-ca|verify-full)$",
        description="Encryption of the connection; `verify-full` for a remote server.",
    )
    owner_password: SecretStr | None = Field(None, description="Password of `mdp_owner`, which runs the migrations.")
    loader_password: SecretStr | None = Field(None, description="Password of `mdp_loader`, which the pipeline uses.")
    bi_password: SecretStr | None = Field(None, description="Password of `mdp_bi`, which can only read `mart`.")

    s3_endpoint: str = Field("http://127.0.0.1:8333", description="Address of the S3 server.")
    s3_region: str = Field("us-east-1", description="Region of the S3 server.")
    s3_access_key_id: str | None = Field(None, description="Access key of the pipeline, which reads and moves objects.")
    s3_secret_access_key: SecretStr | None = Field(None, description="Secret of the pipeline's key.")
    generator_access_key_id: str | None = Field(
        None, description="Access key of the simulator, which puts objects into `raw`."
    )
    generator_secret_access_key: SecretStr | None = Field(None, description="Secret of the simulator's key.")
    raw_bucket: str = Field("raw", description="Bucket for uploads; it must be versioned.")
    staging_bucket: str = Field("staging", description="Bucket for the Parquet files of a batch between its steps.")
    archive_bucket: str = Field("archive", description="Bucket for loaded files.")
    quarantine_bucket: str = Field("quarantine", description="Bucket for refused files and rejected rows.")
    staging_retention_hours: float = Field(24, gt=0, description="Age in hours after which staging files are deleted.")

    engine: Literal["local", "spark"] = Field(
        "local", description="Where files are validated and rolled up: in Airflow's task, or on a Spark cluster."
    )
    spark_remote: str | None = Field(
        None, pattern="^sc://", description="Address of the cluster's Spark Connect server, `sc://HOST:15002`."
    )
    spark_from_bytes: int = Field(
        64 * 2**20, ge=0, description="Bytes of a batch from which on it is worked on by the cluster."
    )
    parallel_batches: int = Field(
        3,
        gt=0,
        le=64,
        description="Batches of a dataset at the same time; each takes a slot of Airflow's executor. One of them is "
        "for small files without compression, which wait for no others.",
    )

    metabase_url: str | None = Field(
        None, pattern="^https?://", description="Address of a Metabase that shows the dashboards."
    )
    metabase_email: str = Field(
        "admin@mdp.example", description="Administrator of Metabase, created on a fresh server."
    )
    metabase_password: SecretStr | None = Field(None, description="Password of that administrator.")

    datasets_folder: Path = Field(PROJECT / "datasets", description="Folder of the dataset declarations.")
    default_dataset: str = Field("youtube_stats", description="Dataset of keys that match no prefix.")

    max_file_bytes: int = Field(
        5 * 2**30, gt=0, description="Maximum size of a file in bytes, compressed and decompressed."
    )
    max_rejected_share: float = Field(
        0.1, ge=0, le=1, description="Share of rejected rows, from 0 to 1, above which the whole file is quarantined."
    )
    max_compression_ratio: float = Field(
        200,
        ge=1,
        description="Maximum of decompressed bytes for each stored one; 64 MiB may come out of any file.",
    )
    max_columns: int = Field(16_384, gt=0, description="Maximum number of columns in a file.")
    max_rejected_rows: int = Field(
        200_000, gt=0, description="Rejected rows of a file after which its other rows are only counted."
    )
    max_rejects_bytes: int = Field(
        2**30, gt=0, description="Bytes of rejected rows of a file after which its other rows are only counted."
    )
    max_file_seconds: float = Field(
        600, gt=0, description="Processor seconds that the validation of a file may take; waiting does not count."
    )
    slice_rows: int = Field(100_000, gt=0, description="Rows that the transform holds in memory at a time.")
    slice_bytes: int = Field(8 * 2**20, gt=0, description="Bytes of a file that validation parses at a time.")
    batch_files: int = Field(500, gt=0, description="Maximum number of files in a batch.")
    batch_bytes: int = Field(
        256 * 2**20, gt=0, description="Maximum bytes in a batch; a larger file gets a batch of its own."
    )
    batch_seconds: float = Field(
        5,
        gt=0,
        description="Seconds after which a batch takes no further file into work; the others wait for the next.",
    )
    max_attempts: int = Field(
        5,
        gt=0,
        description="Attempts after which a file is `failed`, if they end with errors other than validation errors.",
    )
    task_seconds: float = Field(
        3600, gt=0, description="Seconds that a step of a batch may take; then its worker is ended."
    )
    task_memory_bytes: int = Field(
        2 * 2**30, gt=0, description="Bytes of memory that a worker may take; then it is ended."
    )
    lease_seconds: float = Field(60, gt=0, description="Seconds that a claim lasts without a heartbeat.")
    retry_seconds: float = Field(
        1, ge=0, description="Delay in seconds before the first retry of a file; it doubles with each retry."
    )
    reconcile_seconds: float = Field(30, gt=0, description="Seconds between two full listings of `raw`.")
    wake_seconds: float = Field(5, gt=0, description="Seconds after which unclaimed files trigger the DAG again.")
    wait_seconds: float = Field(
        300, gt=0, description="Seconds that a file may wait while nothing is loaded; then `./mdp status` reports it."
    )
    stale_seconds: float = Field(
        0, ge=0, description="Seconds without a new upload in the tables that count as stale; 0 is no limit."
    )
    otel_endpoint: str | None = Field(
        None,
        pattern="^https?://",
        description="Without Docker: address of an OpenTelemetry collector (OTLP over HTTP) for traces and metrics.",
    )
    openlineage: str = Field(
        "off",
        pattern="^(off|file|https?://.+)$",
        description="Without Docker: where lineage events go. `off`, `file` for `airflow/logs/openlineage.jsonl` in "
        "the platform's folder, or the address of an OpenLineage server such as Marquez.",
    )
    alerts: SecretStr | None = Field(
        None,
        description="Where alerts go: `mailto:YOU@HOST?server=smtp://USER:PASSWORD@HOST:587&from=YOU@HOST` for mail, "
        "or any address in the notation of Apprise, such as `slack://…` or `jsons://HOST/PATH`.",
    )
    retention_days: float = Field(
        3, gt=0, description="Days that Airflow's runs and task logs, and records of batches and alerts, are kept."
    )

    simulator_interval_seconds: float = Field(15, gt=0, description="Seconds between two simulated snapshots.")
    simulator_seed: int = Field(1, description="Seed of the simulation.")
    simulator_channels: int = Field(40, gt=0, description="Number of simulated channels.")
    simulator_videos: int = Field(400, gt=0, description="Number of simulated videos at the start.")
    simulator_faults: str = Field(
        "", description="Deliberate errors and their rates, such as `late=0.05,malformed=0.02`."
    )
    simulator_backfill_hours: float = Field(6, ge=0, description="Hours of history that the first start generates.")

    def without_secrets(self) -> "Settings":
        """Return them without passwords and keys, for a place that has its own."""
        return self.model_copy(update=dict.fromkeys(filter(is_secret, type(self).model_fields)))

    def secret(self, field: str) -> str:
        """Return a secret or key that must be set.

        Raises:
            PermanentError: if it is unset; no secret has a default.
        """
        value = getattr(self, field)
        if not value:
            raise PermanentError(
                f"MDP_{field.upper()} is not set. `./mdp up` generates all secrets of a platform without Docker; "
                "otherwise copy example.env to .env and set it there."
            )
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def is_secret(field: str) -> bool:
    """Whether a setting is a password or a key."""
    return field.endswith(("password", "key_id", "access_key", "alerts"))


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read the settings from the environment, once per process.

    Raises:
        PermanentError: if a variable has an invalid value, or a secret cannot be read.
    """
    return read_settings(Settings)


def read_settings(model: type[_Model]) -> _Model:
    """Read settings from the environment; those that are unset or empty there, from files.

    The files are in the folder that `MDP_SECRETS_FOLDER` names, if it is set. Each is named like its variable and
    holds the value; blanks and line ends around it are ignored.

    Raises:
        PermanentError: if a value is invalid, or the folder or a file in it cannot be read.
    """
    folder = os.environ.get("MDP_SECRETS_FOLDER")
    values = {}
    try:
        files = {file.name: file for file in Path(folder).iterdir()} if folder else {}
        for field in model.model_fields:
            variable = f"MDP_{field.upper()}"
            value = os.environ.get(variable)
            if not value and variable in files:
                value = files[variable].read_text(encoding="utf-8").strip()
            if value:
                values[field] = value
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(
            f"The secrets in {folder}, the folder named by MDP_SECRETS_FOLDER, cannot be read: {error}. It needs one "
            "readable UTF-8 file per secret, named like its variable. Fix this, or unset MDP_SECRETS_FOLDER."
        ) from error
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [f"MDP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise PermanentError("These settings are invalid; fix them in .env:\n  " + "\n  ".join(lines)) from error
