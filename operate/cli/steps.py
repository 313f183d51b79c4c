"""Progress of a start or stop, per service."""

import threading
import time
from typing import Self

from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from operate.cli.output import errors

_QUIET_SECONDS = 2.0  # then whoever reads along is told that all is well
_LOOK_SECONDS = 0.25


class Steps:
    """Shows what each service is doing: live on a terminal, line by line elsewhere, never silent for long."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._busy: dict[str, str] = {}  # what is being done, in the order in which it began
        self._tasks: dict[str, TaskID] = {}
        self._live = errors.is_terminal
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description}"),
            TextColumn("[dim]{task.fields[doing]}[/dim]"),
            TimeElapsedColumn(),
            console=errors,
        )
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._spoke = self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        else:
            threading.Thread(target=self._beat, daemon=True).start()
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
                task = self._tasks.get(title)
                if task is None:
                    task = self._tasks[title] = self._progress.add_task(title, total=1, doing="")
                self._progress.update(task, doing=doing or "", completed=0 if doing else 1)
            elif doing:
                self._say(f"{title}: {doing} ...")
            else:
                self._say(f"{title}: {done} ({time.monotonic() - self._began[title]:.1f} s)")

    def _beat(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            with self._lock:
                if time.monotonic() - self._spoke >= _QUIET_SECONDS:
                    stopping = [title for title, doing in self._busy.items() if doing == "stopping"]
                    seconds = time.monotonic() - self._started
                    self._say(f"still waiting for {', '.join(stopping or self._busy) or 'the end'} ({seconds:.0f} s)")

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        errors.print(line, markup=False, soft_wrap=True)
