"""The socket side of the stand-ins: a server that listens on loopback only, and connections that can be cut."""

import asyncio
import contextlib
import socket
import struct
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LOOPBACK = "127.0.0.1"


class Line(HttpToolsProtocol):
    """One connection, which lets the application reach its transport, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Hand the transport on with each request's scope."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Server(uvicorn.Server):
    """A server that stops at once and without a word, whoever still waits for an answer."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut the connections that are open, those kept silent by a fault too."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def listen(port: int) -> socket.socket:
    """Return a socket that listens on loopback; port 0 means any that is free."""
    # Named as TCP, because asyncio else leaves small answers waiting 40 ms for the client's acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((LOOPBACK, port))
    listening.listen(128)
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the address at which a listening socket is reached."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"


def make_server(app: ASGIApp) -> Server:
    """Return a server of an application, which logs nothing: a request line would carry keys and names."""
    config = uvicorn.Config(
        app,
        http=Line,
        ws="none",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    return Server(config)


def transport_of(scope: Scope) -> asyncio.Transport:
    """Return the connection on which a request came."""
    transport: asyncio.Transport = scope["state"]["transport"]
    return transport


async def reset(scope: Scope, receive: Receive) -> None:
    """Cut a connection so that the client sees it reset, not closed."""
    transport = transport_of(scope)
    if not transport.is_closing():
        linger_not = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        transport.abort()
    await gone(receive)


async def close(scope: Scope, receive: Receive) -> None:
    """End a connection after what was written, as if the answer stopped there."""
    transport_of(scope).close()
    await gone(receive)


async def gone(receive: Receive, seconds: float | None = None) -> None:
    """Wait until the client is gone, or for so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            message: Any = None
            while message != "http.disconnect":
                message = (await receive())["type"]
