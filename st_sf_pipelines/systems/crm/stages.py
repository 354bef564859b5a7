"""Pipelines and stages in the CRM: found by slug, made where they are missing, never doubled or renamed (CRM-10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from st_sf_pipelines.errors import TargetStopped
from st_sf_pipelines.rules import pipelines
from st_sf_pipelines.systems.crm.lookup import among
from st_sf_pipelines.systems.crm.objects import PIPELINES, STAGES, collections_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from st_sf_pipelines.config import Crm
    from st_sf_pipelines.systems.crm.session import CrmSession


@dataclass(frozen=True)
class Stage:
    """One stage of a pipeline, as it is made where it is missing."""

    slug: str
    name: str
    order: int
    is_won: bool = False
    is_lost: bool = False


@dataclass(frozen=True)
class Pipeline:
    """One pipeline and its stages; `kind` is the CRM's own word for it ('sales', 'pool_construction')."""

    slug: str
    name: str
    kind: str
    stages: tuple[Stage, ...]


OURS: Final = tuple(
    Pipeline(
        pipeline.slug,
        pipeline.name,
        pipeline.type,
        tuple(
            Stage(stage.slug, stage.name, stage.order, stage.closes == "won", stage.closes == "lost")
            for stage in pipeline.stages
        ),
    )
    for pipeline in pipelines.PIPELINES
)
"""The pipelines and stages of rules/pipelines.py, as the CRM has them."""


@dataclass(frozen=True)
class Found:
    """What the CRM has: ids by slug, and in words what it lacks, by slug."""

    pipelines: Mapping[str, str]
    stages: Mapping[str, str]
    missing: Mapping[str, str]


class Stages:
    """The pipelines of one CRM."""

    def __init__(self, session: CrmSession, config: Crm) -> None:
        """Take the session, and the slugs of the collections."""
        self._session = session
        slugs = collections_of(config)
        self._pipelines, self._stages = slugs[PIPELINES], slugs[STAGES]

    def look(self, wanted: Sequence[Pipeline]) -> Found:
        """See which pipelines and stages are there; of two that share a slug the older counts. Raise RemoteError."""
        pipelines = self._ids(self._pipelines, [pipeline.slug for pipeline in wanted])
        stages: dict[str, str] = {}
        missing: dict[str, str] = {}
        for pipeline in wanted:
            there: dict[str, str] = {}
            if pipeline.slug in pipelines:
                inside = among("pipeline", [pipelines[pipeline.slug]])
                there = self._ids(self._stages, [stage.slug for stage in pipeline.stages], inside)
            else:
                missing[pipeline.slug] = f"the pipeline {pipeline.name} ({pipeline.slug})"
            for stage in pipeline.stages:
                if stage.slug in there:
                    stages[stage.slug] = there[stage.slug]
                else:
                    missing[stage.slug] = f"the stage {stage.name} ({stage.slug}) of {pipeline.name}"
        return Found(pipelines, stages, missing)

    def seed(self, wanted: Sequence[Pipeline], known: Collection[str] = (), *, again: bool = False) -> Found:
        """Make what is missing, and give all ids by slug. Raise RemoteError.

        `known` are the slugs that were there once: one of them that is missing was deleted by a person, and is made
        anew only with `again` (`setup --apply`); else TargetStopped names it, and nothing is made. What a cut answer
        left in doubt, the next look finds.
        """
        found = self.look(wanted)
        deleted = [words for slug, words in found.missing.items() if slug in known]
        if deleted and not again:
            raise TargetStopped(
                f"the CRM no longer has {', '.join(deleted)}; nothing was written. Restore it there, or make it again "
                "with `st-sf setup --apply`"
            )
        if not found.missing:
            return found
        pipelines, stages = dict(found.pipelines), dict(found.stages)
        for pipeline in wanted:
            if pipeline.slug not in pipelines:
                body = {"name": pipeline.name, "slug": pipeline.slug, "type": pipeline.kind}
                pipelines[pipeline.slug] = self._session.create(self._pipelines, body)
            for stage in pipeline.stages:
                if stage.slug not in stages:
                    stages[stage.slug] = self._session.create(self._stages, self._body(stage, pipelines[pipeline.slug]))
        return Found(pipelines, stages, {})

    def _body(self, stage: Stage, pipeline_id: str) -> dict[str, Any]:
        return {
            "name": stage.name,
            "slug": stage.slug,
            "order": stage.order,
            "pipeline": self._session.native(self._pipelines, pipeline_id),
            "isWon": stage.is_won,
            "isLost": stage.is_lost,
        }

    def _ids(self, slug: str, wanted: Sequence[str], where: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
        query = [*among("slug", wanted), *where]
        there = sorted(self._session.documents(slug, query, ["slug", "createdAt"]), key=lambda each: each["createdAt"])
        return {each["slug"]: str(each["id"]) for each in reversed(there)}
