"""Runs the command line in processes of its own that cost no start: forked from one that has imported everything.

`python -m st_sf_pipelines_tests.commands` takes orders on standard input, one JSON object a line, and tells each exit
code. A command has its own environment, folder, standard output and standard error, and ends as any program does.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from st_sf_pipelines import cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object of `--json`."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Commands:
    """Runs commands in a folder, with the variables of this process."""

    folder: Path
    server: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator[Commands]:
        """Start the process that commands are forked from."""
        program = [sys.executable, "-m", "st_sf_pipelines_tests.commands"]
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            yield cls(folder, server)
            assert server.stdin is not None
            server.stdin.close()

    def __call__(self, *arguments: str, **variables: str) -> Said:
        """Run `st-sf` with these arguments, and these variables beside those of the environment."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        streams = [self.folder / "stdout", self.folder / "stderr"]
        order = {
            "arguments": arguments,
            "environment": {**os.environ, **variables},
            "folder": str(self.folder),
            "streams": [str(stream) for stream in streams],
        }
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        return Said(code, *(stream.read_text() for stream in streams))


def main() -> None:
    """Serve orders until standard input ends; a child leaves by its own exit code."""
    from st_sf_pipelines.definitions import defs
    from st_sf_pipelines.operate import customers, rounds, targets  # noqa: F401 - what is slow is imported once

    defs().get_repository_def()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
            _end_with(_code_of_main())
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _code_of_main() -> int:
    """Run the program as its script does; an error that nobody foresaw is printed as Python prints it."""
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends with it
        traceback.print_exc()
        return 1
    return 0


def _end_with(code: int) -> NoReturn:
    """End as Python does, but for taking every module apart, which costs most of a second after a fork."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _become(order: Mapping[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    for number, path in enumerate(order["streams"], start=1):
        stream = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(stream, number)
        os.close(stream)
    sys.argv = ["st-sf", *order["arguments"]]


if __name__ == "__main__":
    main()
