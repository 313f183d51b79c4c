"""The Docker mode, read as the engine would read it: both ways of starting it, with and without .env in sight."""

import re
from copy import deepcopy
from typing import Any

import pytest

from tests.deploy import rules
from tests.deploy.compose_model import (
    BASES,
    OVERRIDE,
    PROJECT,
    VARIABLE,
    BareVariableError,
    interpolated,
    read,
    rendered,
)

MODES = pytest.mark.parametrize("mode", BASES)
ASTROS = {"postgres", "db-migration", "scheduler", "dag-processor", "triggerer", "api-server"}
OURS = set(read(OVERRIDE)["services"]) - ASTROS

# Who may read which secrets: one volume, one reader; the steps that set things up read all of them.
READERS = {
    "secrets": {"secrets", "migrate", "minio-init", "dashboards"},
    "secrets_warehouse": {"secrets", "warehouse"},
    "secrets_minio": {"secrets", "minio"},
    "secrets_pipeline": {"secrets", "scheduler", "dag-processor", "triggerer", "api-server"},
    "secrets_generator": {"secrets", "generator"},
    "secrets_metabase": {"secrets", "metabase"},
}


# Who is set by .env, and some of the settings that must arrive there.
BUCKETS = ("MDP_RAW_BUCKET", "MDP_STAGING_BUCKET", "MDP_ARCHIVE_BUCKET", "MDP_QUARANTINE_BUCKET")
PIPELINES = (*BUCKETS, "MDP_MAX_REJECTED_SHARE", "MDP_RECONCILE_SECONDS", "MDP_DEFAULT_DATASET")
SET_BY_ENV = {
    "scheduler": PIPELINES,
    "dag-processor": PIPELINES,
    "triggerer": PIPELINES,
    "api-server": PIPELINES,
    "migrate": ("MDP_DEFAULT_DATASET",),
    "minio-init": BUCKETS,
    "generator": ("MDP_RAW_BUCKET", "MDP_SIMULATOR_INTERVAL_SECONDS", "MDP_SIMULATOR_FAULTS"),
    "dashboards": ("MDP_METABASE_EMAIL",),
}


def only(model: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {**model, "services": {name: s for name, s in model["services"].items() if name in names}}


def env_file() -> dict[str, str]:
    """What a filled .env has: a value for each name of example.env, and for some settings more."""
    text = (PROJECT / "example.env").read_text(encoding="utf-8")
    names = [line.split("=")[0].lstrip("# ") for line in text.splitlines() if "=" in line and " " not in line]
    names += [name for chosen in SET_BY_ENV.values() for name in chosen]
    return {name: f"value-of-{name}" for name in names}


def inside(service: dict[str, Any]) -> dict[str, str]:
    """What a container of it finds in its environment, with a filled .env: the model's own values go before."""
    return {
        **(env_file() if ".env" in [file["path"] for file in service["env_file"]] else {}),
        **service["environment"],
    }


@MODES
def test_it_is_the_same_whether_or_not_interpolation_sees_env(mode: Any) -> None:
    secrets = {name: value for name, value in env_file().items() if rules.is_secret(name)}
    assert len(secrets) > 10
    assert rendered(mode, secrets) == rendered(mode)


@MODES
def test_no_port_is_public(mode: Any) -> None:
    assert rules.public_ports(rendered(mode)) == []


@MODES
def test_every_image_is_pinned_by_digest(mode: Any) -> None:
    assert rules.images_without_digest(rendered(mode)) == []


def test_no_secret_stands_in_a_file_of_ours() -> None:
    assert rules.secrets_in_the_model(rendered("compose")) == []
    assert rules.secrets_in_the_model(only(rendered("astro"), OURS)) == []


def test_astros_known_password_of_airflows_database_opens_no_port() -> None:
    assert "ports" in read(BASES["astro"])["services"]["postgres"]
    assert "ports" not in rendered("astro")["services"]["postgres"]


@MODES
def test_airflow_gets_the_pipelines_secrets_and_no_others(mode: Any) -> None:
    """Astro gives all of .env to each component; an empty value in the model goes before it."""
    model = rendered(mode)
    secrets = {name for name in env_file() if rules.is_secret(name)} | set(written_by_secrets_step())
    for component in ("db-migration", "scheduler", "dag-processor", "triggerer", "api-server"):
        environment = model["services"][component]["environment"]
        assert {name for name in secrets if environment.get(name) != ""} == set(), component
    assert "MDP_SECRETS_FOLDER" not in model["services"]["db-migration"]["environment"]
    assert rules.volumes_of(model["services"]["triggerer"])["secrets_pipeline"] == "/run/mdp"


def written_by_secrets_step() -> list[str]:
    text = (PROJECT / "deploy/secrets.sh").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"\bMDP_[A-Z0-9_]+", text)))


@MODES
def test_each_secret_has_its_reader(mode: Any) -> None:
    model = rendered(mode)
    found = {
        volume: {name for name, service in model["services"].items() if volume in rules.volumes_of(service)}
        for volume in READERS
    }
    assert found == READERS
    if mode == "compose":
        readers = {n for n, s in model["services"].items() if "secrets_airflow" in rules.volumes_of(s)}
        assert readers == ASTROS | {"secrets"}


@MODES
def test_only_the_first_step_writes_secrets_and_reads_them_in_env(mode: Any) -> None:
    services = rendered(mode)["services"]
    for name, service in services.items():
        mounts = [str(v) for v in service.get("volumes", []) if str(v).startswith("secrets")]
        assert name == "secrets" or all(mount.endswith(":ro") for mount in mounts), name
    reading = {name for name in OURS if services[name]["env_file"]}
    assert reading == {"secrets", *SET_BY_ENV} & OURS
    assert all(services[name]["env_file"] == [{"path": ".env", "required": False}] for name in reading)
    for name, service in services.items():
        secrets = {n: value for n, value in inside(service).items() if n in env_file() and rules.is_secret(n)}
        assert name == "secrets" or set(secrets.values()) <= {""}, name


@MODES
@pytest.mark.parametrize("service", SET_BY_ENV)
def test_a_setting_of_env_reaches_who_reads_it(mode: Any, service: str) -> None:
    found = inside(rendered(mode)["services"][service])
    assert {name: found.get(name) for name in SET_BY_ENV[service]} == {n: env_file()[n] for n in SET_BY_ENV[service]}


def test_every_setting_that_example_env_offers_reaches_somebody() -> None:
    offered = set(re.findall(r"^# (MDP_\w+)=", (PROJECT / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(offered) >= 3
    assert offered <= {name for names in SET_BY_ENV.values() for name in names}


@MODES
def test_env_does_not_change_where_the_servers_are(mode: Any) -> None:
    addresses = {"MDP_DATABASE_HOST", "MDP_DATABASE_PORT", "MDP_S3_ENDPOINT", "MDP_SECRETS_FOLDER"}
    for name in SET_BY_ENV:
        service = rendered(mode)["services"][name]
        stated = addresses if name != "generator" else {"MDP_S3_ENDPOINT", "MDP_SECRETS_FOLDER"}
        assert stated <= service["environment"].keys(), name


@MODES
def test_every_volume_is_named_and_declared(mode: Any) -> None:
    model = rendered(mode)
    used = {volume for service in model["services"].values() for volume in rules.volumes_of(service)}
    assert used == set(model["volumes"])


def test_every_service_can_be_reached_and_asked() -> None:
    for model in (rendered("compose"), only(rendered("astro"), OURS)):
        assert rules.services_off_the_network(model) == []
        assert rules.unwatched_services(model) == ["generator"], "its image brings its own"
    assert "\nHEALTHCHECK " in (PROJECT / "simulator/Dockerfile").read_text(encoding="utf-8")


@MODES
def test_everything_waits_for_what_it_needs(mode: Any) -> None:
    model = rendered(mode)
    assert rules.wrong_dependencies(model) == []
    order = rules.order(model)
    chain = ["secrets", "warehouse", "migrate", "minio", "minio-init", "generator"]
    assert [name for name in order if name in chain] == chain
    assert order.index("minio-init") < order.index("triggerer")
    assert order.index("metabase") < order.index("dashboards")


@MODES
def test_the_store_and_its_fallback_are_one_variable_away(mode: Any) -> None:
    elsewhere = rendered(mode, {"MDP_S3_ENDPOINT": "https://s3.example.org", "MDP_S3_IMAGE": "mirror/minio:1@sha256:x"})
    for name in ("scheduler", "triggerer", "generator", "minio-init"):
        assert elsewhere["services"][name]["environment"]["MDP_S3_ENDPOINT"] == "https://s3.example.org"
    assert elsewhere["services"]["minio"]["image"] == "mirror/minio:1@sha256:x"


@MODES
def test_edited_code_is_used_without_a_build(mode: Any) -> None:
    for component in ("scheduler", "dag-processor", "triggerer"):
        mounts = [str(v).split(":")[:2] for v in rendered(mode)["services"][component]["volumes"]]
        for folder in ("dags", "etl", "minidata", "datasets"):
            assert [f"./{folder}", f"/usr/local/airflow/{folder}"] in mounts


def test_whatever_is_mounted_is_in_a_fresh_clone() -> None:
    """The engine would make a missing folder, as root; and Git keeps no empty one."""
    for mode in BASES:
        for service in rendered(mode)["services"].values():
            for source in [str(v).split(":")[0] for v in service.get("volumes", []) if str(v).startswith("./")]:
                path = PROJECT / source
                assert path.is_file() or [p for p in path.rglob("[!_]*") if p.is_file()], source


def test_nobody_is_told_to_wait_for_a_step_that_ends() -> None:
    """`up --wait` takes a service that ends for a failure, even if it ended well and nobody waits for it."""
    services = rendered("compose")["services"]
    last = {name for name, service in services.items() if rules.once(service)}
    assert last - {needed for service in services.values() for needed in service["depends_on"]} == {"dashboards"}
    texts = [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md"), *(PROJECT / ".github").rglob("*.yml")]
    for text in texts:
        assert not re.search(r"docker compose [^`\n]*\bup\b[^`\n]*--wait", text.read_text(encoding="utf-8")), text


# Planted faults: each rule must see the one that it is there for.


def planted(change: Any) -> dict[str, Any]:
    model = deepcopy(rendered("compose"))
    change(model["services"])
    return model


@pytest.mark.parametrize("port", ["5432:5432", "0.0.0.0:5432:5432", "5432", 5432, "[::]:80:80"])
def test_a_public_port_is_seen(port: Any) -> None:
    assert rules.public_ports(planted(lambda s: s["warehouse"].update(ports=[port]))) == [f"warehouse: {port}"]


@pytest.mark.parametrize("image", ["postgres", "postgres:latest", "postgres:18", "postgres@sha256:" + "a" * 64, None])
def test_a_missing_digest_is_seen(image: Any) -> None:
    assert rules.images_without_digest(planted(lambda s: s["warehouse"].update(image=image)))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POSTGRES_PASSWORD", "postgres"),
        ("MINIO_ROOT_PASSWORD", "minioadmin"),
        ("MB_ENCRYPTION_SECRET_KEY", "changeme"),
        ("AWS_ACCESS_KEY_ID", "minio"),
        ("DATABASE_URL", "postgresql://postgres:postgres@warehouse/warehouse"),
    ],
)
def test_a_known_password_is_seen(variable: str, value: str) -> None:
    model = planted(lambda s: s["warehouse"]["environment"].update({variable: value}))
    assert rules.secrets_in_the_model(model) == [f"warehouse: {variable}"]


@pytest.mark.parametrize("text", ["${MINIO_ROOT_USER}", "$MINIO_ROOT_USER", "${X-default}", "${X:?must be set}"])
def test_a_variable_without_a_default_is_seen(text: str) -> None:
    with pytest.raises(BareVariableError):
        interpolated({"image": [text]}, {"MINIO_ROOT_USER": "set", "X": "set"})


def test_a_default_that_is_a_password_is_seen() -> None:
    file = {"services": {"a": {"environment": {"POSTGRES_PASSWORD": "${MDP_ADMIN_PASSWORD:-postgres}"}}}}
    assert rules.secrets_in_the_model(interpolated(file, {})) == ["a: POSTGRES_PASSWORD"]


def test_services_that_wait_for_each_other_are_seen() -> None:
    with pytest.raises(ValueError, match="warehouse"):
        rules.order(planted(lambda s: s["warehouse"]["depends_on"].update(migrate={})))


def test_a_wait_that_never_ends_is_seen() -> None:
    how = {"condition": "service_healthy"}
    model = planted(lambda s: s["warehouse"]["depends_on"].update(secrets=how, nobody=how))
    assert len(rules.wrong_dependencies(model)) == 2


def test_every_file_was_looked_at() -> None:
    known = {OVERRIDE, BASES["compose"], PROJECT / "deploy/compose.yaml"}
    found = {*PROJECT.glob("*compose*.y*ml"), *(PROJECT / "deploy").glob("*.y*ml")}
    assert found == known
    assert not VARIABLE.search((PROJECT / "deploy/compose.yaml").read_text(encoding="utf-8"))
