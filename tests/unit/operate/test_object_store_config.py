"""The object store's configuration closes its side doors and gives each key its own rights only."""

import json
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from operate.embedded.object_store.seaweedfs import write_config
from operate.s3.access import Buckets, Identities, Identity

BUCKETS = Buckets("incoming", "staging", "archive", "quarantine")
PEOPLE = Identities(*(Identity(name, f"{name}-key", f"{name}-secret") for name in ("admin", "etl", "generator")))


def test_every_inner_connection_asks_for_the_certificate(tmp_path: Path) -> None:
    write_config(tmp_path, PEOPLE, BUCKETS)
    security = tomllib.loads((tmp_path / "security.toml").read_text())
    assert set(security["grpc"]) == {"ca", "master", "volume", "filer", "s3", "client"}
    assert set(security["https"]) == {"master", "volume", "filer", "client"}
    for section in [*(security["grpc"][n] for n in ("master", "volume", "filer", "s3")), *security["https"].values()]:
        assert (tmp_path / section["cert"]).exists()
        assert (tmp_path / section["key"]).exists()
    assert all((tmp_path / section["ca"]).exists() for section in [security["grpc"], *security["https"].values()])
    assert security["https"]["client"]["enabled"] is True


def test_tokens_are_long_different_and_stay(tmp_path: Path) -> None:
    write_config(tmp_path, PEOPLE, BUCKETS)
    first = (tmp_path / "security.toml").read_bytes()
    jwt = tomllib.loads(first.decode())["jwt"]
    keys = [part["key"] for side in ("signing", "filer_signing") for part in (jwt[side], jwt[side]["read"])]
    assert len(set(keys)) == 4
    assert min(map(len, keys)) >= 64
    write_config(tmp_path, PEOPLE, BUCKETS)
    assert (tmp_path / "security.toml").read_bytes() == first


def test_rights_are_the_least(tmp_path: Path) -> None:
    write_config(tmp_path, PEOPLE, BUCKETS)
    config = json.loads((tmp_path / "s3.json").read_text())
    people = {person["name"]: person for person in config["identities"]}
    assert "actions" not in people["etl"] | people["generator"]
    policies = {policy["name"]: json.loads(policy["content"])["Statement"] for policy in config["policies"]}
    [uploads] = policies["generator"]
    assert uploads["Action"] == ["s3:PutObject", "s3:AbortMultipartUpload"]
    assert uploads["Resource"] == ["arn:aws:s3:::incoming/*"]
    actions = [action for statement in policies["etl"] for action in statement["Action"]]
    assert not [action for action in actions if "*" in action or action.startswith(("s3:PutBucket", "s3:DeleteBucket"))]
    resources = {resource for statement in policies["etl"] for resource in statement["Resource"]}
    assert resources == {f"arn:aws:s3:::{name}{end}" for name in BUCKETS.names for end in ("", "/*")}


def test_changed_keys_take_effect(tmp_path: Path) -> None:
    write_config(tmp_path, PEOPLE, BUCKETS)
    write_config(tmp_path, replace(PEOPLE, etl=Identity("etl", "new-key", "new-secret")), BUCKETS)
    text = (tmp_path / "s3.json").read_text()
    assert "new-secret" in text
    assert "etl-secret" not in text


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    write_config(tmp_path, PEOPLE, BUCKETS)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_one_key_for_two_identities_is_refused(tmp_path: Path) -> None:
    shared = replace(PEOPLE, generator=Identity("generator", "admin-key", "x"))
    with pytest.raises(PermanentError, match="MDP_GENERATOR_ACCESS_KEY_ID"):
        write_config(tmp_path, shared, BUCKETS)
    assert not (tmp_path / "s3.json").exists()
