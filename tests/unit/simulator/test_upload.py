"""Where snapshots go: a folder, and a bucket spoken to over HTTP."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from simulator.snapshot import FolderUploader, S3Uploader

KEY = "youtube_stats/2026-11-23/120000-00000001.csv"


class FakeS3(ThreadingHTTPServer):
    """Answers every request with one status, and remembers it."""

    def __init__(self) -> None:
        self.status = 200
        self.seen: list[tuple[str, str, bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.seen.append((self.command, self.path, body))
                self.send_response(server.status)
                self.send_header("ETag", '"0"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PUT = do_GET = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    def uploader(self) -> S3Uploader:
        return S3Uploader(
            Settings(
                s3_endpoint=f"http://127.0.0.1:{self.server_address[1]}",
                generator_access_key_id="an id",
                generator_secret_access_key="a secret",
            )
        )


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with FakeS3() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_upload_is_one_put_and_needs_no_other_right(s3: FakeS3) -> None:
    s3.uploader().put(KEY, b"data")
    assert s3.seen == [("PUT", f"/raw/{KEY}", b"data")]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_permanent_and_names_the_key_to_check(s3: FakeS3, status: int) -> None:
    s3.status = status
    with pytest.raises(PermanentError, match="MDP_GENERATOR_ACCESS_KEY_ID"):
        s3.uploader().put(KEY, b"data")


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_server_is_transient_and_asked_once(s3: FakeS3, status: int) -> None:
    s3.status = status
    with pytest.raises(TransientError, match="the bucket raw"):
        s3.uploader().put(KEY, b"data")
    assert len(s3.seen) == 1


def test_a_server_that_is_away_is_transient() -> None:
    with FakeS3() as gone:
        uploader = gone.uploader()
    with pytest.raises(TransientError, match="did not get into"):
        uploader.put(KEY, b"data")


def test_the_secret_stays_out_of_errors(s3: FakeS3) -> None:
    s3.status = 403
    with pytest.raises(PermanentError) as caught:
        s3.uploader().put(KEY, b"data")
    assert "a secret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_folder_gets_a_file_for_each_key(tmp_path: Path) -> None:
    FolderUploader(tmp_path / "new").put(KEY, b"data")
    assert (tmp_path / "new" / KEY).read_bytes() == b"data"


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PermanentError, match="cannot be written"):
        FolderUploader(tmp_path / "file").put(KEY, b"data")
