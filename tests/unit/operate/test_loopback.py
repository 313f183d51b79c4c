"""A server that is still starting is waited for, whatever it answers."""

import socket
import threading

import pytest

from minidata.errors import TransientError
from operate.embedded import loopback


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_an_answer_that_is_no_http_is_not_ready_yet(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(TransientError, match=r"Superset on port .* does not answer yet"):
            loopback.get(server.getsockname()[1], "/health", "Superset")
        thread.join()
