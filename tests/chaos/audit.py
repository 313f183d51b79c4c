"""What must be true after a round: each object in one place, each row of the ledger final, the oracle's tables."""

import hashlib
from collections import Counter
from typing import Any

from etl.move_files import quarantine_key, reasons_key
from minidata.ledger import File
from minidata.warehouse.connection import connect
from tests.chaos.world import Version, World
from tests.integration.conftest import Pipeline
from tests.oracle.tables import tables
from tests.oracle.verdict import Verdict, judge


def differences(world: World) -> list[str]:
    """Return what is not as it would be after a run without faults; empty if nothing is."""
    with connect(world.settings, "loader") as loader:
        pipeline = Pipeline(world.settings, world.store, loader)
        files = {(file.key, file.version): file for file in pipeline.files()}
        verdicts = {
            version: judge(version[0], content, files[version].arrived_at)
            for version, content in world.uploaded.items()
            if version in files
        }
        return [
            *_ledger(world, files, verdicts),
            *_batches(world, pipeline),
            *_buckets(world, list(files.values())),
            *_tables(world, pipeline, files, verdicts),
        ]


def _ledger(world: World, files: dict[Version, File], verdicts: dict[Version, Verdict]) -> list[str]:
    """Each version has one row, in the state that its content deserves."""
    found = [f"{version} is not in the ledger" for version in world.uploaded.keys() - files.keys()]
    found += [f"the ledger has made up {version}" for version in files.keys() - world.uploaded.keys()]
    for version, verdict in verdicts.items():
        usual = "archived" if verdict.reason is None else "quarantined"
        expected = {usual} | world.touched.get(version, set())
        if version[0] in world.doomed:
            expected = {"failed"}
        file = files[version]
        if file.state not in expected:
            found.append(f"{version} is {file.state}, not {sorted(expected)}: {file.error}")
        elif file.state in {"archived", "quarantined"}:
            reasons = [] if verdict.reason is None else [verdict.reason]
            if (file.reasons, file.rows_rejected or 0) != (reasons, verdict.rows_rejected):
                found.append(f"{version}: {file.reasons}, {file.rows_rejected} rejected; the oracle says {verdict}")
    originals = Counter(file.sha256 for file in files.values() if file.state == "archived" and not file.duplicate_of)
    return found + [f"content {digest} counts {n} times" for digest, n in originals.items() if n > 1]


def _batches(world: World, pipeline: Pipeline) -> list[str]:
    """No batch lives, no file belongs to one that does not."""
    alive = pipeline.execute("select batch_id, run from mdp.batches where ended_at is null")
    held = [
        (key, state)
        for key, version, state in pipeline.execute(
            "select key, version, state::text from mdp.files f join mdp.batches b using (batch_id) "
            "where state not in ('archived', 'quarantined', 'excluded')"
        )
        if state not in world.touched.get((key, version), ())
    ]
    events = pipeline.execute("select inbox_id from mdp.inbox")
    return [f"{what}: {rows}" for what, rows in [("alive", alive), ("held", held), ("inbox", events)] if rows]


def _buckets(world: World, files: list[File]) -> list[str]:
    """Every object is in exactly one place, with its own bytes; nothing else is there."""
    store, settings = world.store, world.settings
    raw = {(v.key, v.version) for v in store.versions(settings.raw_bucket)}
    expected: dict[str, dict[str, str | None]] = {settings.archive_bucket: {}, settings.quarantine_bucket: {}}
    for file in files:
        quarantine = expected[settings.quarantine_bucket]
        if file.state in {"archived", "excluded"}:
            expected[settings.archive_bucket][str(file.archive_key)] = file.sha256
        elif file.state == "quarantined":
            quarantine[str(file.archive_key)] = file.sha256
            quarantine[f"{file.archive_key}.reasons.json"] = None
        elif file.state == "invalid":
            # Its uploader removed it after its verdict; the page of reasons was written when its move was tried.
            page = reasons_key(quarantine_key(file.key, str(file.sha256)))
            quarantine |= dict.fromkeys(store.keys(settings.quarantine_bucket, page))
        if file.rejects_key:
            quarantine[file.rejects_key] = None
            quarantine[f"{file.rejects_key}.reasons.json"] = None
    kept = {(file.key, file.version) for file in files if file.state == "failed"}
    deleted = {(file.key, file.version) for file in files if file.state == "superseded"}  # below a delete marker
    found = [f"raw still has {version}" for version in raw - kept - deleted] + [
        f"raw lost {version}" for version in kept - raw
    ]
    for file in files:
        content = world.uploaded.get((file.key, file.version))
        if file.sha256 and content is not None and hashlib.sha256(content).hexdigest() != file.sha256:
            found.append(f"{file.key} has the hash of another content")
    with connect(settings, "loader") as loader:
        tokens = {token for (token,) in loader.execute("select token::text from mdp.batches where swept_at is null")}
    if unknown := {key.partition("/")[0] for key in store.keys(settings.staging_bucket)} - tokens:
        found.append(f"staging has {unknown}, which no batch will sweep")
    for bucket, objects in expected.items():
        keys = set(store.keys(bucket))
        found += [f"{bucket} lacks {key}" for key in objects.keys() - keys]
        if extra := {key for key in keys - objects.keys() if not _written_twice(key, world)}:
            found.append(f"{bucket} has {extra}, which no file names")
        for key, digest in objects.items():
            if key in keys and digest and store.sha256(bucket, key) != digest:
                found.append(f"{bucket}/{key} has other bytes")
    return found


def _written_twice(key: str, world: World) -> bool:
    """A version that is superseded after its verdict leaves the rejects that were written with it."""
    return bool(world.touched) and key.startswith("rejects/")


def _tables(
    world: World, pipeline: Pipeline, files: dict[Version, File], verdicts: dict[Version, Verdict]
) -> list[str]:
    """Every cell is as the oracle computes it from what the ledger accepted."""
    accepted = {
        world.uploaded[version]: verdict.rows
        for version, verdict in verdicts.items()
        if files[version].state in {"archived", "loaded"} and verdict.reason is None
    }
    found = []
    for name, rows in tables(accepted.values()).items():
        actual = pipeline.table(name)
        if actual != rows:
            found.append(f"{name}: {_first_difference(actual, rows)}")
    return found


def _first_difference(actual: list[dict[str, Any]], expected: list[dict[str, Any]]) -> str:
    if len(actual) != len(expected):
        return f"{len(actual)} rows instead of {len(expected)}"
    one, other = next((a, e) for a, e in zip(actual, expected, strict=True) if a != e)
    return f"{ {c: (one[c], other[c]) for c in other if one[c] != other[c]} } (found, expected)"
