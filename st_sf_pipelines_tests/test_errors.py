"""The tree that the docstring of the errors draws is the tree of the classes, and each says its line."""

from __future__ import annotations

import inspect
import re

import pytest

from st_sf_pipelines import errors
from st_sf_pipelines.errors import ConfigError, CredentialsError, PermanentError, RemoteError, StSfError, TransientError

LINE = re.compile(r"(?P<edges>[│├└─ ]*)(?P<name>[A-Z]\w+)(?:  +(?P<says>\S.*))?")


def drawn() -> dict[str, str | None]:
    """Read the drawing: each class and its parent; a step of the tree is four characters wide."""
    tree: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines()[1:]:
        if match := LINE.fullmatch(line):
            depth, odd = divmod(len(match["edges"]), 4)
            assert not odd, line
            tree[match["name"]] = above[depth - 1] if depth else None
            above[depth:] = [match["name"]]
    return tree


def test_the_drawing_is_the_tree_of_the_classes() -> None:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
    tree = {kind.__name__: base.__name__ for kind in classes if (base := kind.__mro__[1]) is not Exception}
    assert drawn() == {**tree, "StSfError": None}
    assert len(classes) == len(drawn()) >= 8


def test_every_line_of_the_drawing_but_the_root_says_what_the_class_is_for() -> None:
    lines = [LINE.fullmatch(line) for line in (errors.__doc__ or "").splitlines()[1:] if line.strip()]
    assert [match["name"] for match in lines if match and not match["says"]] == ["StSfError"]
    assert all(lines)


def test_no_error_is_both_to_be_tried_again_and_never() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, RemoteError)]
    assert {kind for kind in kinds if issubclass(kind, TransientError) and issubclass(kind, PermanentError)} == set()
    assert {kind for kind in kinds if not issubclass(kind, TransientError | PermanentError)} == {RemoteError}
    assert issubclass(CredentialsError, PermanentError)


def test_a_remote_error_says_who_where_and_why_in_one_line() -> None:
    bare = TransientError("servicetitan", "socal", "GET /crm/v2/x", "no answer in time")
    assert str(bare) == "servicetitan: socal: GET /crm/v2/x: no answer in time"
    full = PermanentError("salesforce", "socal", "PATCH /y", "refused", 400, "INVALID_FIELD", "00-ab", ("Email",), 3.0)
    assert str(full) == "salesforce: socal: PATCH /y: refused (400, INVALID_FIELD, trace 00-ab)"


def test_a_remote_error_is_raised_and_caught_as_any_other() -> None:
    with pytest.raises(StSfError, match=r"^crm: socal: GET /z: not found \(404\)$"):
        raise PermanentError("crm", "socal", "GET /z", "not found", 404)


def test_a_config_error_says_a_line_for_each_fault() -> None:
    error = ConfigError(["site.yaml:3: one", "site.yaml:5: two"])
    assert error.faults == ["site.yaml:3: one", "site.yaml:5: two"]
    assert str(error) == "site.yaml:3: one\nsite.yaml:5: two"
