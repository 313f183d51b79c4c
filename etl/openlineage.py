"""What a task tells OpenLineage: the datasets that it reads and writes, by their real names, with counts and verdicts.

Airflow's OpenLineage provider asks `StepLineage` about each task and sends the event. The names follow OpenLineage's
naming specification: `s3://BUCKET` with a prefix, `postgres://HOST:PORT` with `DATABASE.SCHEMA.TABLE`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    InputDatasetFacet,
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    output_statistics_output_dataset,
)

from minidata import ledger
from minidata.dataset import Dataset, sound_datasets
from minidata.ledger import RunOutcome
from minidata.settings import Settings, load_settings
from minidata.warehouse.connection import connect


class StepLineage(BaseExtractor):
    """The lineage of a step: names when it starts, counts and verdicts when it has succeeded."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """Return the operators of `@task` and `@task.short_circuit`."""
        return ["_PythonDecoratedOperator", "_ShortCircuitDecoratedOperator"]

    def _execute_extraction(self) -> OperatorLineage:
        return self._lineage(RunOutcome({}, {}, {}))

    def extract_on_complete(self, task_instance: Any) -> OperatorLineage:
        """Return the lineage with what the ledger says of the run."""
        with connect(load_settings(), "loader") as connection:
            return self._lineage(ledger.run_outcome(connection, self.operator.dag_id, task_instance.run_id))

    def extract_on_failure(self, _: Any) -> OperatorLineage:
        """Return the names alone: a step that failed has changed nothing."""
        return self.extract()

    def _lineage(self, outcome: RunOutcome) -> OperatorLineage:
        settings = load_settings()
        dataset = sound_datasets(settings.datasets_folder).get(self.operator.dag_id)
        if dataset is None:  # alerts and retention move no data
            return OperatorLineage()
        inputs, outputs = lineage(self.operator.task_id, dataset, settings, outcome)
        return OperatorLineage(inputs=inputs, outputs=outputs)


def lineage(
    step: str, dataset: Dataset, settings: Settings, outcome: RunOutcome
) -> tuple[list[InputDataset], list[OutputDataset]]:
    """Return what a step reads and what it writes.

    Args:
        step: `extract`, `validate`, `transform`, `load` or `archive`.
        dataset: the declaration of the files.
        settings: names of the buckets, and the address of the warehouse.
        outcome: of the run so far; without counts there are no facets.
    """
    counts = outcome.steps.get(step, {})
    facets = dict(_verdicts(counts, outcome)) if step == "validate" and counts else {}
    inputs = [InputDataset(f"s3://{settings.raw_bucket}", dataset.name, inputFacets=facets)]
    written: list[tuple[str, str, dict[str, int | None]]] = []
    if step == "load":
        server = f"postgres://{settings.database_host}:{settings.database_port}"
        for table in dataset.tables:
            name = f"{settings.database_name}.{dataset.name}.{table}"
            written.append((server, name, {"rowCount": counts.get(table)}))
    elif step == "archive":
        for bucket, what in ((settings.archive_bucket, "archived"), (settings.quarantine_bucket, "quarantined")):
            written.append((f"s3://{bucket}", dataset.name, {"fileCount": counts.get(what)}))
    return inputs, [
        OutputDataset(namespace, name, outputFacets=_statistics(numbers) if counts else {})
        for namespace, name, numbers in written
    ]


def _statistics(numbers: Mapping[str, int | None]) -> dict[str, Any]:
    return {"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(**numbers)}


def _verdicts(counts: Mapping[str, int], outcome: RunOutcome) -> Iterator[tuple[str, InputDatasetFacet]]:
    """Yield the facets of what was read: how much, and an assertion for each reason to refuse files or rows."""
    yield (
        "dataQualityMetrics",
        data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            columnMetrics={},
            rowCount=counts["rows"] + counts["rejected"],
            fileCount=counts["valid"] + counts["invalid"],
        ),
    )
    made = data_quality_assertions_dataset.Assertion
    refused = [
        made(code, success=False, severity=severity, actual=str(number), description=f"{what}, by reason")
        for what, severity, found in (
            ("Refused files", "error", outcome.refused_files),
            ("Rejected rows", "warn", outcome.rejected_rows),
        )
        for code, number in sorted(found.items())
    ]
    assertions = refused or [made("contract", success=True, description="Every file and every row is accepted.")]
    yield "dataQualityAssertions", data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions)
