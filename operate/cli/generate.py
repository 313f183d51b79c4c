"""`mdp generate`: snapshots of an invented world, into a folder or into the platform."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from minidata import ledger
from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.live import watch
from operate.cli.objects import FINAL, Strict, Timeout, Wait, progress_bar, require_plain, require_wait, wait_for
from operate.cli.output import bytes_of, console, print_json
from simulator.faults import FAULTS, PRESETS, parse_faults
from simulator.feed import Generation, Written
from simulator.snapshot import FolderUploader, Uploader

_LIVE_SECONDS = 1.0
_LOOK_SECONDS = 0.25
_STAGES = ("pending", "claimed", "loaded", "archived", "invalid", "quarantined")


class _Raw:
    """Puts objects into `raw` with the generator's key, and remembers their versions."""

    def __init__(self, settings: Settings, prefix: str) -> None:
        key, secret = settings.secret("generator_access_key_id"), settings.secret("generator_secret_access_key")
        self._store = ObjectStore(settings, key, secret)
        self._bucket, self._prefix = settings.raw_bucket, prefix
        self.versions: list[tuple[str, str]] = []

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        key = self._prefix + key
        self.versions.append((key, self._store.write(self._bucket, key, data)))


@app.command()
def generate(
    context: typer.Context,
    files: Annotated[int, typer.Option(min=1, help="How many snapshots.")] = 10,
    rows: Annotated[int, typer.Option(min=1, help="Rows of each.")] = 400,
    seed: Annotated[int, typer.Option(help="Of the world. That of the platform's own simulator is 1.")] = 2,
    faults: Annotated[
        str,
        typer.Option(
            metavar="DIALS",
            help=f"What goes wrong and how often: {', '.join(PRESETS)}, or rates such as late=0.1,malformed=0.05. "
            f"There are {', '.join(FAULTS)}.",
        ),
    ] = "none",
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Write them below this folder.")] = None,
    upload: Annotated[bool, typer.Option("--upload", help="Upload them into raw, as is done without --out.")] = False,
    prefix: Annotated[str, typer.Option(help="Put before each key.")] = "",
    live: Annotated[bool, typer.Option("--live", help="Draw the world and the files on their way.")] = False,
    every: Annotated[
        float | None, typer.Option(min=0, show_default="0, with --live 1", help="Seconds between two files.")
    ] = None,
    wait: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Make snapshots of an invented world of channels and videos, with faults if you like.

    The same seed writes the same files into a folder. Uploaded snapshots end at this moment.

    Example: ./mdp generate --files 60 --faults some --live
    """
    require_wait(wait, timeout, strict)
    try:
        dials = parse_faults(faults)
    except PermanentError as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from error
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    raw = None
    sinks: list[Uploader] = []
    end = None
    if out is not None:
        sinks.append(FolderUploader(out / prefix))
    if upload or out is None:
        require_plain([prefix])
        settings = settings_of(context)
        raw = _Raw(settings, prefix)
        sinks.append(raw)
        end = datetime.now(UTC).replace(microsecond=0)
    plan = Generation(files=files, rows=rows, seed=seed, faults=dials, end=end)
    seconds = every if every is not None else _LIVE_SECONDS * live
    if not (live and console.is_terminal and not json_):
        written = _make(plan, sinks, seconds, each_line=live and not json_)
    elif raw is None:
        written = list(watch(_paced(plan.write(sinks), seconds), plan.world, console))
    else:
        written = _draw(plan, sinks, seconds, settings, raw)
    waits = raw is not None and wait
    if not json_:
        _sum_up(written, out, raw, hint=not waits)
    elif not waits:
        print_json([{"key": prefix + w.key, "size": w.size, "rows": w.rows, "fault": w.fault} for w in written])
    if raw is not None and wait:
        wait_for(settings, raw.versions, json_=json_, timeout=timeout, strict=strict)


def _make(plan: Generation, sinks: list[Uploader], seconds: float, *, each_line: bool) -> list[Written]:
    """Make the snapshots, with a bar on a terminal; or a line for each."""
    written = []
    with progress_bar() as bar:
        task = bar.add_task("Generating", total=plan.files)
        for one in _paced(plan.write(sinks), seconds):
            written.append(one)
            bar.update(task, completed=one.snapshots)
            if each_line:
                fault = f" ({one.fault})" if one.fault else ""
                console.print(f"{one.key}: {one.rows} rows{fault}", markup=False, soft_wrap=True)
    return written


def _draw(plan: Generation, sinks: list[Uploader], seconds: float, settings: Settings, raw: _Raw) -> list[Written]:
    """Make the snapshots and draw them, until the platform is done with the last."""
    with connect(settings, "loader") as connection:
        connection.autocommit = True
        stages: dict[str, int] = {}

        def look() -> None:
            stages.update(dict.fromkeys(_STAGES, 0) | ledger.count_states(connection))

        def done() -> bool:
            found = ledger.states_of(connection, raw.versions)
            return sum(state in FINAL for _, _, state, _ in found) == len(raw.versions)

        def until_done() -> Iterator[Written]:
            yield from _paced(plan.write(sinks), seconds, look)
            while not done():
                look()
                time.sleep(_LOOK_SECONDS)
            look()

        look()
        return list(watch(until_done(), plan.world, console, lambda: stages))


def _paced(progress: Iterator[Written], seconds: float, look: Callable[[], None] = lambda: None) -> Iterator[Written]:
    """Pass progress on, one step in so many seconds; looks meanwhile."""
    for step in progress:
        yield step
        look()
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))
            look()


def _sum_up(written: list[Written], out: Path | None, raw: _Raw | None, *, hint: bool) -> None:
    where = " and ".join([str(out)] * (out is not None) + ["raw"] * (raw is not None))
    size, rows = sum(w.size for w in written), sum(w.rows for w in written)
    console.print(f"{len(written)} files, {rows} rows, {bytes_of(size)} into {where}.", markup=False, soft_wrap=True)
    spoiled = Counter(w.fault for w in written if w.fault)
    if spoiled:
        console.print("With faults: " + ", ".join(f"{n} {fault}" for fault, n in spoiled.most_common()) + ".")
    if raw is not None and hint:
        console.print("`./mdp wait` tells what becomes of them.")
