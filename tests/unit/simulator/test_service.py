"""The feed as a process: signals and exit codes."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from simulator.__main__ import serve

PROGRAM = """
import socket, sys, threading
from pathlib import Path
from minidata.settings import Settings
from simulator.__main__ import serve
from simulator.feed import Feed
from simulator.snapshot import FolderUploader, S3Uploader

state, mode = Path(sys.argv[1]), sys.argv[2]
if mode == "hangs":
    deaf = socket.create_server(("127.0.0.1", 0))  # takes connections and never answers
    endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    uploader = S3Uploader(
        Settings(s3_endpoint=endpoint, generator_access_key_id="key", generator_secret_access_key="secret")
    )
else:
    uploader = FolderUploader(state.parent / "out")
settings = Settings(
    simulator_channels=2, simulator_videos=5, simulator_backfill_hours=1, simulator_interval_seconds=0.2
)
stop = threading.Event()
feed = Feed(uploader, state, settings, stop)
threading.Timer(0.5, lambda: print("running", flush=True)).start()
sys.exit(serve(feed.run, stop))
"""


@pytest.mark.parametrize("mode", ["works", "hangs"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_gracefully_even_while_the_store_hangs(
    tmp_path: Path, mode: str, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "state.json"), mode],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)  # a guard against hanging for ever, no measurement
    assert (process.returncode, errors) == (0, "")
    assert (tmp_path / "state.json").exists()
    assert (tmp_path / "out").exists() == (mode == "works")


@pytest.mark.parametrize(
    ("error", "said"), [(PermanentError("The key is refused."), "The key is refused."), (KeyError("x"), "broke")]
)
def test_a_failure_ends_it_with_code_1_and_is_logged(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    def fail() -> None:
        raise error

    try:
        assert serve(fail, threading.Event()) == 1
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert said in caplog.text


def test_the_service_without_its_key_says_how_to_get_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "--state", str(tmp_path / "state.json")],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "MDP_GENERATOR_ACCESS_KEY_ID" in done.stdout
    assert not (tmp_path / "state.json").exists()
