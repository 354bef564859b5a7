"""The life of a stand-in: it listens, serves in a thread from `with` to its end, or as a program until a signal."""

import signal
import sys
import threading
from queue import SimpleQueue
from typing import Any, Self

import orjson
from starlette.types import ASGIApp

from st_sf_pipelines.simulators.wire import listen, make_server, url_of

STOP_SECONDS = 10


class Served:
    """An application behind a loopback port, 0 for any free one; `credentials` are all that its client needs."""

    credentials: dict[str, Any]

    def __init__(self, app: ASGIApp, port: int) -> None:
        """Listen at once: what may be wrong with the application must have shown before."""
        self._listening = listen(port)
        self.url = url_of(self._listening)
        self._server = make_server(app)
        run = {"sockets": [self._listening]}
        self._thread = threading.Thread(target=self._server.run, kwargs=run, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        """Start; requests are taken at once, because the socket listens already."""
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop, and cut whatever connection is still open."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._listening.close()

    def serve(self) -> None:
        """Tell the credentials, one line of JSON on standard output, and serve until SIGTERM or SIGINT."""
        told_to_end = SimpleQueue[int]()  # unlike an Event, a signal may set it at any moment
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda told, _: told_to_end.put(told))
        with self:
            sys.stdout.write(orjson.dumps(self.credentials).decode() + "\n")
            sys.stdout.flush()
            told_to_end.get()
