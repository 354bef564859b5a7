"""The README's tables say what the code says; `python -m st_sf_pipelines_tests.test_readme` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from typer.main import get_command

from st_sf_pipelines.cli import app
from st_sf_pipelines.config import Segments
from st_sf_pipelines.rules.pipelines import PIPELINES
from st_sf_pipelines.rules.segments import SEGMENT_RULES
from st_sf_pipelines.rules.states import STATE_RULES
from st_sf_pipelines.settings import SERVICETITAN_VARIABLES
from st_sf_pipelines.systems.servicetitan.entities import ENTITIES
from st_sf_pipelines.systems.targets import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from st_sf_pipelines.mapping import Field
    from st_sf_pipelines.rules.pipelines import Stage

README: Final = Path(__file__).parents[1] / "README.md"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def segments() -> str:
    """List the segments with their rules, at the default thresholds."""
    return _table(
        ("segment, the first that holds", "rule"),
        [(f"**{rule.segment.value}**", rule.sentence(Segments())) for rule in SEGMENT_RULES],
    )


def fields() -> str:
    """List every field that is written, object by object."""
    return _table(
        ("object", "field", "from"),
        [
            (target.remote, f"`{name}`", source)
            for system in SYSTEMS
            for target in system.objects
            for name, source in [
                *([(target.key, "our key")] if target.key not in {"", *(field.to for field in target.fields)} else []),
                *((field.to, _source(field)) for field in target.fields),
            ]
        ],
    )


def _source(field: Field) -> str:
    return ", ".join(f"`{column}`" for column in field.columns) or f"always `{field.constant}`"


def stages() -> str:
    """List the stages of both pipelines with what leads to each."""
    return _table(
        ("pipeline", "order", "stage", "what leads to it"),
        [
            (pipeline.name, str(stage.order), f"**{stage.name}**", f"{stage.sentence}{_closes(stage)}")
            for pipeline in PIPELINES
            for stage in pipeline.stages
        ],
    )


def _closes(stage: Stage) -> str:
    return f" → {stage.closes}" if stage.closes else ""


def states() -> str:
    """List the customer states with what each rests on."""
    return _table(
        ("state", "meaning", "entered when", "flow"),
        [(f"**{rule.state}**", rule.meaning, rule.sentence, rule.flow or "none") for rule in STATE_RULES],
    )


def entities() -> str:
    """List what is read from ServiceTitan, and where."""
    return _table(
        ("entity", "read from", "what"),
        [(f"`{e.name}`", f"`{e.path('{tenant}', listed=not e.is_fed)}`", e.says) for e in ENTITIES],
    )


TABLES: Final[dict[str, Callable[[], str]]] = {
    "segments": segments,
    "stages": stages,
    "states": states,
    "fields": fields,
    "entities": entities,
}


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_the_code_says(name: str) -> None:
    found = _between(name).search(README.read_text())
    assert found is not None
    assert found[0] == f"\n{TABLES[name]()}\n\n"


@pytest.mark.parametrize("name", ["fields", "entities"])
def test_a_long_table_is_folded(name: str) -> None:
    folded = re.findall(r"<details><summary>[^<]+</summary>\n\n<!-- (\w+) -->", README.read_text())
    assert name in folded
    assert f"<!-- /{name} -->\n\n</details>\n" in README.read_text()


def test_every_command_that_the_readme_names_exists() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    named = set(re.findall(r"st-sf ([a-z-]+)", README.read_text()))
    assert named <= set(commands)


def test_every_variable_of_the_environment_only_tenant_is_told() -> None:
    text = README.read_text()
    assert [name for name in SERVICETITAN_VARIABLES if name.removeprefix("SERVICETITAN") not in text] == []


def test_its_picture_is_there_and_light() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text())
    assert pictures
    for picture in pictures:
        assert (README.parent / picture).stat().st_size < 300_000


if __name__ == "__main__":
    text = README.read_text()
    for name, table in TABLES.items():
        text = _between(name).sub(lambda _, table=table: f"\n{table()}\n\n", text)  # type: ignore[misc]
    README.write_text(text)
