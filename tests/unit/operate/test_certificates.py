"""The private CA of the object store: it accepts its own certificate and no other."""

import ssl
import stat
from pathlib import Path

import pytest

from operate.embedded.object_store.certificates import Certificates, issue


def context(side: int, trust: Certificates, own: Certificates | None) -> ssl.SSLContext:
    made = ssl.SSLContext(side)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(trust.ca)
    if own:
        made.load_cert_chain(own.certificate, own.key)
    return made


def greet(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> str | None:
    """Let two sides shake hands in memory; returns the version that they agreed on."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return server.version()


def test_holders_of_the_certificate_understand_each_other(tmp_path: Path) -> None:
    own = issue(tmp_path)
    client = context(ssl.PROTOCOL_TLS_CLIENT, own, own)
    client.check_hostname = True  # 127.0.0.1 is in the certificate
    assert greet(context(ssl.PROTOCOL_TLS_SERVER, own, own), client) == "TLSv1.3"


@pytest.mark.parametrize("foreign", [True, False], ids=["self-made", "none"])
def test_a_client_with_another_certificate_or_none_is_refused(tmp_path: Path, foreign: bool) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "foreign").mkdir()
    own, other = issue(tmp_path / "own"), issue(tmp_path / "foreign")
    client = context(ssl.PROTOCOL_TLS_CLIENT, own, other if foreign else None)
    with pytest.raises(ssl.SSLError):
        greet(context(ssl.PROTOCOL_TLS_SERVER, own, own), client)


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    first = [file.read_bytes() for file in (issue(tmp_path).ca, issue(tmp_path).key)]
    assert [file.read_bytes() for file in (issue(tmp_path).ca, issue(tmp_path).key)] == first
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_the_key_that_could_sign_another_is_not_kept(tmp_path: Path) -> None:
    issue(tmp_path)
    assert sum(b"PRIVATE KEY" in file.read_bytes() for file in tmp_path.iterdir()) == 1


def test_a_half_made_one_is_made_again(tmp_path: Path) -> None:
    own = issue(tmp_path)
    own.key.unlink()
    again = issue(tmp_path)
    assert greet(context(ssl.PROTOCOL_TLS_SERVER, again, again), context(ssl.PROTOCOL_TLS_CLIENT, again, again))
