"""An answer of the store that breaks off is never taken for the whole object."""

import socket
import threading

import pytest

from minidata.errors import TransientError
from minidata.settings import Settings
from minidata.store import ObjectStore

ANSWER = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 10\r\n\r\n0123456789'


@pytest.mark.parametrize("cut", [26, 27, 31, 40, 50, len(ANSWER) - 12, len(ANSWER) - 10, len(ANSWER) - 1])
def test_an_answer_cut_anywhere_is_an_error(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer, args=[server, ANSWER[:cut], []], daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(TransientError):
            list(ObjectStore(Settings(s3_endpoint=endpoint), "key", "secret").read("raw", "a.csv"))


def test_a_write_waits_for_no_100_continue_after_which_an_end_would_hang_it() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(
            target=_answer, args=[server, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", heard], daemon=True
        ).start()
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        ObjectStore(Settings(s3_endpoint=endpoint), "key", "secret").write("raw", "a.csv", b"content")
    assert heard[0].startswith(b"PUT /raw/a.csv ")
    assert b"expect:" not in heard[0].lower()


def test_what_the_store_refuses_to_delete_with_others_is_deleted_alone_and_by_its_version() -> None:
    refused = (
        b"<DeleteResult><Error><Key>b.csv</Key><Code>InternalError</Code><Message>no</Message></Error></DeleteResult>"
    )
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(refused), refused)
        threading.Thread(target=_answer, args=[server, answer, heard], daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        store = ObjectStore(Settings(s3_endpoint=endpoint), "key", "secret")
        store.delete_versions("raw", [("a.csv", "v1"), ("b.csv", "v2")])
    asked = [request.split(b" ")[1] for request in heard if request.startswith(b"DELETE")]
    assert asked == [b"/raw/a.csv?versionId=v1", b"/raw/b.csv?versionId=v2"]


def _answer(server: socket.socket, answer: bytes, heard: list[bytes]) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client:
            heard.append(client.recv(2**16))
            client.sendall(answer)
