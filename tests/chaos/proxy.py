"""A bad network between the workers and the object store: refused, slow, cut and lost, one request in so many."""

import asyncio
import random
import threading
from dataclasses import dataclass, field
from typing import Literal

Trouble = Literal["none", "refused", "503", "slow", "answer cut", "request cut", "answer lost"]
_LIMIT = 2**20
_SLOW_SECONDS = 0.15
_BODY = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
_UNAVAILABLE = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


@dataclass
class Weather:
    """What happens to requests from now on.

    Attributes:
        trouble: its kind.
        share: of the requests that meet it.
        chance: decides which.
        met: how many have.
    """

    trouble: Trouble = "none"
    share: float = 0.0
    chance: random.Random = field(default_factory=random.Random)
    met: int = 0

    def next(self) -> Trouble:
        """Decide what the next request meets."""
        if self.trouble == "none" or self.chance.random() >= self.share:
            return "none"
        self.met += 1
        return self.trouble


class Proxy:
    """Passes HTTP requests on, one per connection, to a port of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.weather = Weather()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._serving: set[asyncio.Task[None] | None] = set()
        started = threading.Event()
        threading.Thread(target=self._run, args=[started], daemon=True).start()
        started.wait()

    def close(self) -> None:
        """Stop taking requests."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, started: threading.Event) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LIMIT))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())  # the loop itself holds a task weakly
        trouble = self.weather.next()
        try:
            if trouble == "refused":
                return
            head = await client.readuntil(b"\r\n\r\n")
            if trouble == "503":
                back.write(_UNAVAILABLE)
                await back.drain()
                return
            answer, request = await asyncio.open_connection("127.0.0.1", self._target, limit=_LIMIT)
            try:
                request.write(head[:-2] + b"Connection: close\r\n\r\n")
                sending = asyncio.create_task(_pass(client, request, trouble == "request cut", trouble == "slow"))
                if trouble == "answer lost":
                    await answer.read()
                else:
                    await _pass(answer, back, trouble == "answer cut", trouble == "slow")
                sending.cancel()
            finally:
                request.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._serving.discard(asyncio.current_task())
            back.close()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter, cut: bool, slow: bool) -> None:
    """Pass bytes on until the source ends; cut: half of the first piece, then no more."""
    while data := await source.read(2**16):
        if slow:
            await asyncio.sleep(_SLOW_SECONDS)
        sink.write(data[: len(data) // 2] if cut else data)
        await sink.drain()
        if cut:
            sink.close()
            return
