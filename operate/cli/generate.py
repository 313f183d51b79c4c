"""`mdp generate`: writes snapshots of an invented world to a folder or uploads them."""

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
from minidata.text import require_plain
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.live import watch
from operate.cli.objects import FINAL, wait_for
from operate.cli.options import Strict, Timeout, Wait, require_wait
from operate.cli.output import bytes_of, print_json, say
from operate.cli.progress import console, progress_bar
from simulator.faults import FAULTS, PRESETS, parse_faults
from simulator.feed import Generation, Written
from simulator.snapshot import FolderUploader, Uploader

_LIVE_SECONDS = 1.0
_LOOK_SECONDS = 0.25
_STAGES = ("pending", "claimed", "loaded", "archived", "invalid", "quarantined")


class _Raw:
    """Uploads to `raw` with the generator's key, and keeps the versions (key, version)."""

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
    rows: Annotated[int, typer.Option(min=1, help="Rows in each.")] = 400,
    seed: Annotated[int, typer.Option(help="Seed of the world. The platform's own simulator uses 1.")] = 2,
    faults: Annotated[
        str,
        typer.Option(
            metavar="RATES",
            help=f"What goes wrong and how often: {', '.join(PRESETS)}, or rates such as late=0.1,malformed=0.05. "
            f"Faults: {', '.join(FAULTS)}.",
        ),
    ] = "none",
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Write the files to this folder.")] = None,
    upload: Annotated[
        bool, typer.Option("--upload", help="Upload the files to raw; the default without --out.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="Prefix of each key.")] = "",
    live: Annotated[bool, typer.Option("--live", help="Show the world and the files as they are processed.")] = False,
    every: Annotated[
        float | None, typer.Option(min=0, show_default="0; with --live 1", help="Seconds between two files.")
    ] = None,
    wait: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Generate snapshots of an invented world of channels and videos, with faults on request.

    With --out, the same seed writes the same files. The last uploaded snapshot is dated now.

    Example: ./mdp generate --files 60 --faults some --live
    """
    require_wait(wait, timeout, strict)
    try:
        rates = parse_faults(faults)
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
    generation = Generation(files=files, rows=rows, seed=seed, faults=rates, end=end)
    seconds = every if every is not None else _LIVE_SECONDS * live
    if not (live and console.is_terminal and not json_):
        written = _make(generation, sinks, seconds, each_line=live and not json_)
    elif raw is None:
        written = list(watch(_paced(generation.write(sinks), seconds), generation.world, console))
    else:
        written = _draw(generation, sinks, seconds, settings, raw)
    waits = raw is not None and wait
    if not json_:
        _sum_up(written, out, raw, hint=not waits)
    elif not waits:
        print_json([{"key": prefix + w.key, "size": w.size, "rows": w.rows, "fault": w.fault} for w in written])
    if raw is not None and wait:
        wait_for(settings, raw.versions, json_=json_, timeout=timeout, strict=strict)


def _make(generation: Generation, sinks: list[Uploader], seconds: float, *, each_line: bool) -> list[Written]:
    """Write the snapshots, with a progress bar on a terminal or a line for each."""
    written = []
    with progress_bar() as bar:
        task = bar.add_task("Generating", total=generation.files)
        for one in _paced(generation.write(sinks), seconds):
            written.append(one)
            bar.update(task, completed=one.snapshots)
            if each_line:
                fault = f" ({one.fault})" if one.fault else ""
                say(f"{one.key}: {one.rows} rows{fault}")
    return written


def _draw(
    generation: Generation, sinks: list[Uploader], seconds: float, settings: Settings, raw: _Raw
) -> list[Written]:
    """Write the snapshots and draw the world until the platform has finished the last file."""
    with connect(settings, "loader") as connection:
        stages: dict[str, int] = {}

        def look() -> None:
            stages.update(dict.fromkeys(_STAGES, 0) | ledger.count_states(connection))

        def done() -> bool:
            found = ledger.states_of(connection, raw.versions)
            return sum(state in FINAL for _, _, state, *_ in found) == len(raw.versions)

        def until_done() -> Iterator[Written]:
            yield from _paced(generation.write(sinks), seconds, look)
            while not done():
                look()
                time.sleep(_LOOK_SECONDS)
            look()

        look()
        return list(watch(until_done(), generation.world, console, lambda: stages))


def _paced(progress: Iterator[Written], seconds: float, look: Callable[[], None] = lambda: None) -> Iterator[Written]:
    """Pass progress on, one step every so many seconds; call `look` in between."""
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
    say(f"{len(written)} files, {rows} rows, {bytes_of(size)} to {where}.")
    spoiled = Counter(w.fault for w in written if w.fault)
    if spoiled:
        say("With faults: " + ", ".join(f"{n} {fault}" for fault, n in spoiled.most_common()) + ".")
    if raw is not None and hint:
        say("`./mdp wait` shows what becomes of them.")
