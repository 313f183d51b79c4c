"""The page of reasons that lies beside a quarantined file."""

from typing import Any

from psycopg.rows import dict_row

from minidata.warehouse.connection import Connection


def reasons_page(connection: Connection, file_id: int) -> dict[str, Any]:
    """Return all that a person needs to mend a file.

    Returns:
        `key`, `version`, `arrived_at`, `size`, `sha256`, `reasons` (codes), `message` (what to mend), `rows_good`,
        `rows_rejected`, `counts` (by reason code, exact), `drift` (unknown columns) and `entries` (`line`,
        `column`, `code`, `value`; of the first 1,000 rejected records).
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "select key, version, arrived_at, size, sha256, reasons, message, rows_good, rows_rejected, counts, "
            "drift, entries from mdp.files where file_id = %s",
            [file_id],
        ).fetchone()
    connection.commit()
    if row is None:
        return {}
    return {**row, "arrived_at": row["arrived_at"].isoformat()}
