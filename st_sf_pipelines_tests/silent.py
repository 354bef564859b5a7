"""A server on a real socket that takes every connection and never answers."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Self


class Silent:
    """Listens at `url`; the kernel takes the connections, so that none is missed, and nobody reads what they say."""

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listening.settimeout(0)
        self._taken: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        return self

    @property
    def calls(self) -> int:
        """How many connections there were: a client that was not answered opens another for its next call."""
        with suppress(BlockingIOError):
            while True:
                self._taken.append(self._listening.accept()[0])
        return len(self._taken)

    def __exit__(self, *_: object) -> None:
        """End all connections; whoever still waits is told so, and whoever comes later is not let in."""
        self._listening.close()
        for each in self._taken:
            each.close()
