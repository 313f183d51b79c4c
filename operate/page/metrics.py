"""Metrics for Prometheus, read with the password of the database user `mdp_bi`."""

from collections.abc import Iterator
from typing import Annotated

import psycopg
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from psycopg.rows import dict_row
from pydantic import SecretStr

from minidata.errors import PermanentError, PlatformError
from minidata.settings import load_settings
from minidata.warehouse.connection import Connection, connect
from minidata.warehouse.views import read_views

_RECENT = {
    "files": "Files that arrived in the last ten minutes and are in the tables",
    "rows": "Rows that these files added",
    "upload_to_row_seconds": "Seconds from the end of an upload to the commit of its rows, for these files",
}
_QUANTILES = (0.5, 0.95)
_OF_DATASET = """
    select dataset, count(*) as files, sum(rows_loaded) as rows,
           percentile_disc(%s::float[]) within group (order by upload_to_row_seconds) as upload_to_row_seconds
    from mart.file_arrivals
    where arrived_at > now() - interval '10 minutes' and loaded_at is not null
    group by dataset
    order by dataset
"""


def create_metrics() -> FastAPI:
    """Make the application, whose only page asks for user and password (HTTP Basic), as PostgreSQL has them."""
    app = FastAPI(title="Metrics", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def metrics(who: Annotated[HTTPBasicCredentials, Depends(HTTPBasic(realm="mdp_bi"))]) -> PlainTextResponse:
        if who.username != "mdp_bi":
            raise _refused()
        settings = load_settings().model_copy(update={"bi_password": SecretStr(who.password)})
        try:
            with connect(settings, "bi") as connection:
                text = "".join(f"{line}\n" for line in _lines(connection))
        except PermanentError as error:
            raise _refused() from error
        except (PlatformError, psycopg.Error) as error:
            raise HTTPException(503, str(error)) from error
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return app


def _refused() -> HTTPException:
    why = "The user is mdp_bi, the password that of MDP_BI_PASSWORD."
    return HTTPException(401, why, {"www-authenticate": 'Basic realm="mdp_bi"'})


def _lines(connection: Connection) -> Iterator[str]:
    """Write the gauges; one whose value is not known is left out, for 0 would be a lie."""
    cursor = connection.cursor(row_factory=dict_row)
    [now] = cursor.execute("select * from mart.freshness").fetchall()
    for name, column in read_views()["freshness"].columns.items():
        if column.type == "bigint":
            yield f"# HELP mdp_{name} {column.means}."
            yield f"# TYPE mdp_{name} gauge"
            if now[name] is not None:
                yield f"mdp_{name} {now[name]}"
    datasets = cursor.execute(_OF_DATASET, [list(_QUANTILES)]).fetchall()
    for name, means in _RECENT.items():
        yield f"# HELP mdp_recent_{name} {means}."
        yield f"# TYPE mdp_recent_{name} gauge"
        for row in datasets:
            of = f'dataset="{row["dataset"]}"'
            if isinstance(row[name], list):
                values = zip(_QUANTILES, row[name], strict=True)
                yield from (f'mdp_recent_{name}{{{of},quantile="{quantile}"}} {value}' for quantile, value in values)
            else:
                yield f"mdp_recent_{name}{{{of}}} {row[name]}"
