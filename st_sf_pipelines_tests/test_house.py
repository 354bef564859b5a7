"""The rules of the house that no linter knows: docstrings, imports that do nothing, no address of a machine's own."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import st_sf_pipelines
import st_sf_pipelines_tests

PACKAGE = Path(st_sf_pipelines.__file__).parent
TESTS = Path(st_sf_pipelines_tests.__file__).parent
ROOT = PACKAGE.parent
ALEMBIC_ENTRY = PACKAGE / "store" / "migrations" / "env.py"
"""Alembic runs it, on a connection that is handed over; nobody imports it."""
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCES
    if path != ALEMBIC_ENTRY
]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_a_house() -> None:
    assert len(SOURCES) > 50
    assert {"st_sf_pipelines.cli", "st_sf_pipelines.definitions", "st_sf_pipelines.store.ledger"} <= set(MODULES)


@pytest.mark.parametrize("path", [*SOURCES, *sorted(TESTS.rglob("*.py"))], ids=named)
def test_a_modules_docstring_says_on_its_first_line_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    first, *rest = (ast.get_docstring(tree, clean=False) or "").splitlines() or [""]
    assert first.strip() == first
    assert len(first) > len("A short one.")
    assert first.endswith((".", "?"))
    assert not rest or not rest[0]


# Importing: every module of ours, in a process with no variable set, in which whatever reaches outside is noted.
IMPORT_ALL = """
import builtins, importlib, json, os, sys, threading
package, modules = sys.argv[1], json.loads(sys.argv[2])
seen = []
STANDARD = {"os", "collections", "_collections_abc", "socket", "subprocess", "_posixsubprocess", "builtins", "shutil"}

def nearest():
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__", "").partition(".")[0] in STANDARD:
        frame = frame.f_back
    return frame.f_globals.get("__name__", "")

OUTSIDE = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
           "subprocess.Popen", "os.system", "os.fork", "os.exec", "os.posix_spawn", "os.putenv", "os.unsetenv",
           "os.mkdir", "os.remove", "os.rename", "shutil.rmtree", "os.chdir", "urllib.Request")


def hook(event, args):
    if event in OUTSIDE:
        seen.append([event, nearest()])
    elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(["open for writing", nearest()])

class Environment(type(os.environ)):
    def __getitem__(self, key):
        if nearest().startswith(package):
            seen.append(["environment " + str(key), nearest()])
        return super().__getitem__(key)
    def __iter__(self):
        if nearest().startswith(package):
            seen.append(["environment", nearest()])
        return super().__iter__()

os.environ.__class__ = Environment
before, threads = dict(os.environ), threading.active_count()
sys.addaudithook(hook)
for name in modules:
    importlib.import_module(name)
print(json.dumps({"seen": seen, "environment": [before, dict(os.environ)],
                  "threads": [threads, threading.active_count()]}))
"""


def watched(folder: Path, package: str, modules: list[str]) -> dict[str, Any]:
    """Import modules in a process of their own; tell what reached outside meanwhile."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL, package, json.dumps(modules)],
        env={"PYTHONPATH": f"{folder}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Give a folder of a test's own that finds the package, as any working directory does."""
    (tmp_path / "st_sf_pipelines").symlink_to(PACKAGE)
    return tmp_path


def test_importing_every_module_reaches_no_network_file_process_or_variable(elsewhere: Path) -> None:
    told = watched(elsewhere, "st_sf_pipelines", MODULES)
    # Others' modules do a little: numpy sets a variable and takes it back, urllib3 tries whether it may bind to ::1,
    # and platform asks uname. Nobody's may call out.
    assert [each for each in told["seen"] if each[1].startswith("st_sf_pipelines")] == []
    calls = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"}
    assert [each for each in told["seen"] if each[0] in calls or each[0] == "open for writing"] == []
    assert told["environment"][0] == told["environment"][1]
    assert told["threads"][0] == told["threads"][1]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["st_sf_pipelines"]


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        ("import os; os.environ.get('HOME')", "environment HOME"),
        ("import os; os.getenv('HOME')", "environment HOME"),
        ("import os; 'HOME' in dict(os.environ)", "environment"),
        ("import os; os.environ['X'] = '1'", "os.putenv"),
        ("import socket; socket.socket().connect_ex(('127.0.0.1', 1))", "socket.connect"),
        ("open('here', 'w').close()", "open for writing"),
        ("import subprocess; subprocess.run(['/bin/true'])", "subprocess.Popen"),
    ],
)
def test_a_module_that_does_something_when_it_is_imported_is_noticed(tmp_path: Path, line: str, noted: str) -> None:
    (tmp_path / "busy.py").write_text(line)
    assert [noted, "busy"] in watched(tmp_path, "busy", ["busy"])["seen"]


def test_definitions_load_with_no_variable_set_in_any_folder(tmp_path: Path) -> None:
    load = "from st_sf_pipelines.definitions import defs; print(len(list(defs().resolve_all_job_defs())))"
    done = subprocess.run(
        [sys.executable, "-B", "-c", load], env={}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
    assert list(tmp_path.iterdir()) == []


# Addresses: written in parts, so that this file does not name them itself.
INDEXES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "index" + "-url",
    "proxy.golang" + ".org",
]
PLACES = ["/" + "home/", "/" + "Users/", "/" + "root/", "/" + "work/", "C:" + "\\\\", "/" + "mnt/"]
HIDDEN = {".git", ".venv", ".hypothesis", ".st_sf", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"}


def texts() -> dict[str, str]:
    """Read every text file of the checkout that is ours."""
    found = {}
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        hidden = any(part in HIDDEN or part.startswith(".tmp") or part == "node_modules" for part in inside)
        if hidden or not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        try:
            found["/".join(inside)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def test_no_file_names_a_package_index_or_a_place_on_somebodys_machine() -> None:
    files = texts()
    assert {"README.md", "constraints.txt", "Makefile", "pyproject.toml", "dagster.yaml"} <= set(files)
    found = [(name, word) for name, text in files.items() for word in (*INDEXES, *PLACES) if word in text]
    assert found == []


def test_every_requirement_is_pinned_and_none_has_an_address() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert [line for line in lines if "==" not in line or "/" in line or "@" in line] == []


def test_no_file_of_ours_is_a_leftover() -> None:
    leftovers = {"NOTES", "COMPLETE", "TODO", "CHANGES"}
    assert [name for name in texts() if Path(name).stem.upper() in leftovers or name.endswith((".orig", ".bak"))] == []
    folders = {path.name for path in PACKAGE.rglob("*") if path.is_dir()} | {path.stem for path in SOURCES}
    assert folders & {"utils", "helpers", "common", "base", "manager", "old"} == set()
