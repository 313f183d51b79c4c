"""A check of SeaweedFS's inner ports from outside: without its configuration it would run open."""

import socket

from minidata.errors import PermanentError
from operate.embedded.ports import GRPC_OFFSET, SEAWEED
from operate.embedded.state import State

# What a gRPC client without TLS begins with: the preface of HTTP/2 and an empty SETTINGS frame.
_GRPC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_HTTP = b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
_WAIT_SECONDS = 3


def require_closed(state: State) -> None:
    """Check that the running object store lets no one in without our certificate.

    Raises:
        PermanentError: naming a port that is open.
    """
    for service in SEAWEED:
        port = state.port(service)
        if not refuses(port + GRPC_OFFSET, _GRPC):
            raise _open(service, port + GRPC_OFFSET, state)
        if service != "s3" and not refuses(port, _HTTP):
            raise _open(service, port, state)


def refuses(port: int, greeting: bytes = _GRPC) -> bool:
    """Tell whether a port of 127.0.0.1 turns away a client that does not begin with TLS.

    A TLS server hangs up, answers with an alert or, if spoken to in HTTP, with status 400.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), _WAIT_SECONDS) as connection:
            connection.sendall(greeting)
            answer = connection.recv(64)
    except TimeoutError:
        return False  # it waits for more: no TLS server would
    except OSError:
        return True  # hung up, or nothing listens
    return not answer or answer[0] == 0x15 or b" 400 " in answer[:16]


def _open(service: str, port: int, state: State) -> PermanentError:
    return PermanentError(
        f"The object store's {service} answers on port {port} without asking for a certificate: it runs without "
        f"its security.toml. Run `./mdp down`, check that {state.weed} is readable, then run `./mdp up`."
    )
