"""The promises of the ledger, of replay and of the contract, on real MinIO: the very tests that SeaweedFS passes."""

from operate.embedded.object_store.minio_build import VERSION
from operate.embedded.processes import find
from operate.embedded.state import State
from tests.integration.test_ledger import *  # noqa: F403
from tests.integration.test_replay import *  # noqa: F403
from tests.integration.test_semantics import *  # noqa: F403


def test_it_is_minio(servers: State) -> None:
    [server] = find(servers.folder, "object-store")
    assert VERSION in server.exe()
