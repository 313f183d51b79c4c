"""Declarations leave and come back as contracts of the Open Data Contract Standard; other people's come in."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard
from typer.testing import CliRunner

from minidata.dataset import Dataset, read_dataset
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings, load_settings
from operate.cli.app import app
from operate.declare.check import read_one
from operate.declare.contract_out import contract_of
from operate.declare.new import make_from_contract

DECLARED = [PROJECT / "datasets" / "youtube_stats", *sorted((PROJECT / "examples").glob("*/"))]
SCHEMA = json.loads(OpenDataContractStandard.json_schema())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(DECLARED[0], tmp_path / "datasets" / "youtube_stats")
    return Settings(datasets_folder=tmp_path / "datasets")


def content(dataset: Dataset) -> dict[str, Any]:
    return dataset.model_dump(exclude={"folder"}) | {n: dataset.select_of(n) for n in dataset.summaries}


@pytest.mark.parametrize("folder", DECLARED, ids=lambda folder: folder.name)
def test_a_declaration_comes_back_from_its_contract_as_it_was(folder: Path, tmp_path: Path) -> None:
    dataset = read_dataset(folder)
    text = contract_of(dataset).to_yaml()
    jsonschema.validate(yaml.safe_load(text), SCHEMA)
    (tmp_path / "contract.yaml").write_text(text)
    (tmp_path / "datasets").mkdir()
    others = [other for other in DECLARED if other != folder][:1]
    for other in others:
        shutil.copytree(other, tmp_path / "datasets" / other.name)
    settings = Settings(datasets_folder=tmp_path / "datasets", default_dataset=others[0].name)
    made = make_from_contract(settings, folder.name, tmp_path / "contract.yaml", [])
    assert content(read_dataset(made.folder)) == content(dataset)


OTHERS = """\
apiVersion: v3.0.2
kind: DataContract
id: orders
version: 1.0.0
status: active
servers: [{server: files, type: s3, location: "s3://a/b", format: csv, delimiter: ;}]
schema:
  - name: people
    properties: [{name: id, logicalType: integer, primaryKey: true, required: true}]
  - name: orders
    physicalType: table
    description: Orders of the shop
    properties:
      - {name: Order ID, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: amount, logicalType: number, physicalType: "decimal(10,2)", logicalTypeOptions: {minimum: 0}}
      - {name: ordered, physicalName: ORDERED, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}
      - {name: seen, physicalType: TIMESTAMP_NTZ(9), description: When it was seen}
      - {name: state, logicalType: string, enum: [{value: open}, {value: paid}], quality: [{type: text}]}
"""

LEAVES = """\
apiVersion: v3.0.2
kind: DataContract
id: orders
version: 1.0.0
status: active
schema: [{name: orders, properties: [{name: id, logicalType: integer}]}]
customProperties: [{property: miniDataPlatform, value: {files: FILES}}]
"""
OUTSIDE = ["../../x.sql", "/tmp/x.sql", "..", "dataset.yaml", "x.sql\\n", ".sql", "a/b.sql"]
STRANGE = [*(f'{{"{name}": "select 1"}}' for name in OUTSIDE), "[x.sql]", "5", "{x.sql: 5}", "{5: select 1}"]


def test_a_contract_that_others_wrote_becomes_a_declaration(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(OTHERS)
    (tmp_path / "orders.csv").write_text(
        "Order ID;amount;ORDERED;seen;state\n1;2.50;25.11.2026;;open\n2;;26.11.2026;;\n3;;;;lost\n"
    )
    made = make_from_contract(settings, "orders", tmp_path / "contract.yaml", [tmp_path / "orders.csv"])
    declared = yaml.safe_load((made.folder / "dataset.yaml").read_text())
    assert declared["columns"] == {
        "order_id": {"type": "text", "min_length": 1, "aliases": ["Order ID"]},
        "amount": {"type": "decimal", "precision": 10, "scale": 2, "min": "0", "optional": True},
        "ordered": {"type": "date", "formats": ["%d.%m.%Y"], "optional": True, "aliases": ["ORDERED"]},
        "seen": {"type": "timestamp", "optional": True, "description": "When it was seen"},
        "state": {"type": "text", "one_of": ["open", "paid"], "optional": True},
    }
    assert declared["newest"] == {"orders": {"description": "Orders of the shop", "keys": ["order_id"]}}
    assert any("quality rules of state" in remark for remark in made.guess.remarks)
    [verdict] = made.verdicts
    assert verdict.reason
    assert verdict.reason.code == "too_many_rejected_rows"
    assert (verdict.rows_good, verdict.counts) == (2, {"not_allowed": 1})


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("a: [", "orders", "is no contract"),
        ("kind: DataContract\nsurprise: 1\n", "orders", "is no contract"),
        (OTHERS, "invoices", "one called invoices; it has: people, orders"),
        *((LEAVES.replace("FILES", files), "orders", "a plain name that ends in .sql") for files in STRANGE),
        (LEAVES.replace("{files: FILES}", "{name: people, prefix: people}"), "orders", "name and folder must agree"),
        (LEAVES.replace("{files: FILES}", "{columns: 5, surprise: 1}"), "orders", "surprise"),
    ],
)
def test_a_contract_that_cannot_be_declared_is_refused(
    settings: Settings, tmp_path: Path, text: str, name: str, said: str
) -> None:
    (tmp_path / "contract.yaml").write_text(text)
    with pytest.raises(PermanentError, match=said):
        make_from_contract(settings, name, tmp_path / "contract.yaml", [])
    assert not (settings.datasets_folder / name).exists()


def test_the_command_prints_and_reads_contracts(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(settings.datasets_folder))
    load_settings.cache_clear()
    state = ["--state", str(tmp_path / "none"), "dataset"]
    printed = CliRunner().invoke(app, [*state, "export", "youtube_stats", "--odcs"])
    assert OpenDataContractStandard.from_string(printed.stdout).id == "youtube_stats"
    (tmp_path / "contract.yaml").write_text(OTHERS)
    done = CliRunner().invoke(app, [*state, "new", "orders", "--from", str(tmp_path / "contract.yaml")])
    assert done.exit_code == 0, done.output
    assert list(read_one(settings, "orders").newest) == ["orders"]
    load_settings.cache_clear()
