"""Progress on standard error: bars and spinners on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from operate.cli.output import say

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)
_QUIET_SECONDS = 30.0  # of silence, after which a line names what takes so long


def progress_bar() -> Progress:
    """Return a bar, which only a terminal shows."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


@contextmanager
def file_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many files are done, and of how many: a bar on a terminal, now and then a line elsewhere."""
    spoke = time.monotonic()
    with progress_bar() as bar:
        task = bar.add_task(what)

        def show(done: int, total: int) -> None:
            nonlocal spoke
            bar.update(task, completed=done, total=total)
            if not errors.is_terminal and time.monotonic() - spoke >= _QUIET_SECONDS:
                spoke = time.monotonic()
                say(f"{what}: {done:,} of {total:,} files", err=True)

        yield show


class Steps:
    """Shows what each service is doing: live on a terminal; elsewhere one line for each step that is done."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._busy: dict[str, str] = {}  # title → what is being done, in the order in which it began
        self._tasks: dict[str, TaskID] = {}
        self._live = errors.is_terminal
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[doing]}", style="dim", markup=False),
            TimeElapsedColumn(),
            console=errors,
        )
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._spoke = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        else:
            threading.Thread(target=self._break_silence, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._live:
            self._progress.stop()

    def __call__(self, title: str, doing: str | None) -> None:
        """Take a report: what a service is doing, or None when it is done."""
        with self._lock:
            if title not in self._busy or doing == "stopping":
                self._began[title] = time.monotonic()
            if doing:
                self._busy[title] = doing
            else:
                done = "stopped" if self._busy.pop(title, "") == "stopping" else "ready"
            if self._live:
                if title not in self._tasks:
                    self._tasks[title] = self._progress.add_task(title, total=1, doing="")
                self._progress.update(self._tasks[title], doing=doing or "", completed=0 if doing else 1)
            elif not doing:
                self._say(f"{title}: {done} ({time.monotonic() - self._began[title]:.1f} s)")

    def _break_silence(self) -> None:
        while not self._over.wait(_QUIET_SECONDS / 4):
            with self._lock:
                if self._busy and time.monotonic() - self._spoke >= _QUIET_SECONDS:
                    self._say("; ".join(f"{title}: {doing} ..." for title, doing in self._busy.items()))

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        say(line, err=True)
