"""The resource that every asset shares: its configuration is what a person sets in the launchpad for a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

import dagster as dg
from pydantic import Field, PrivateAttr

from st_sf_pipelines.config import Tenant
from st_sf_pipelines.defs.instance import current_settings, open_database
from st_sf_pipelines.defs.round import WAIT_SECONDS, Round, begin
from st_sf_pipelines.errors import ConfigError, StSfError
from st_sf_pipelines.ports import Window
from st_sf_pipelines.settings import Settings
from st_sf_pipelines.store.log import Scope

BACKFILL_SECONDS = 3600.0
"""How long a backfill's run waits for its tenant: its siblings have their turn one after the other."""

TENANTS = dg.DynamicPartitionsDefinition(name="tenants")


class RoundResource(dg.ConfigurableResource[Any]):
    """One round of the partition's tenant. By hand everything is done for the whole tenant (OPS-3)."""

    tenant: str = Field(default="", description="The tenant's name, for a run that has no partition.")
    scope: Literal["all", "changed", "ids"] = Field(
        default="all", description="Whom derived assets look at: all customers, the changed and the due, or `ids`."
    )
    ids: list[int] = Field(default_factory=list, description="With scope `ids`: the ServiceTitan customer ids.")
    as_of: str = Field(default="", description="The moment that rules are evaluated for, ISO 8601; empty: now.")
    dry_run: bool = Field(default=False, description="Plan everything, send nothing.")
    since: str = Field(default="", description="Read again what was modified since, ISO 8601; the cursor stays.")
    until: str = Field(default="", description="With since: only what was modified before.")
    full: bool = Field(default=False, description="Read everything again from the beginning; the cursor stays.")
    looked: bool = Field(default=False, description="A look found nothing new in the entities that are left out.")
    wait_seconds: float = Field(default=WAIT_SECONDS, description="How long to wait for a running round.")
    _work: Round | None = PrivateAttr(default=None)

    @property
    def work(self) -> Round:
        """The round; there is one while assets run."""
        if self._work is None:
            raise RuntimeError("the round has not begun")
        return self._work

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RoundResource"]:
        """Hold the tenant's lock as long as the run's assets work."""
        run = context.run
        tags = run.tags if run else {}  # a tenant alone, or a tenant's month
        name = self.tenant or tags.get("dagster/partition/tenant") or tags.get("dagster/partition", "")
        if run is None or not name:
            raise dg.Failure("choose one partition, or name the tenant: a round is one tenant's")
        try:
            settings = current_settings()
            [tenant] = tenants_of(settings, name)
            db = open_database(settings)
            window = Window(moment(self.since), moment(self.until)) if self.since or self.until or self.full else None
            scope = Scope(everybody=self.scope == "all", ids=tuple(self.ids) if self.scope == "ids" else ())
            as_of = moment(self.as_of) or datetime.now(UTC)
            opened = begin(
                db,
                tenant,
                settings.site,
                run.run_id,
                as_of,
                scope,
                window=window,
                dry_run=self.dry_run,
                triggered_by=tags.get("st/started_by", "schedule" if "dagster/sensor_name" in tags else "person"),
                looked=self.looked,
                wait=max(self.wait_seconds, BACKFILL_SECONDS if "dagster/backfill" in tags else 0),
            )
            with opened as self._work:
                if context.log and self._work.note:
                    context.log.warning(self._work.note)
                yield self
        except StSfError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        finally:
            self._work = None


def round_config(**values: Any) -> dict[str, Any]:
    """Write a run's configuration: the values of RoundResource's fields that are not the default."""
    return {"resources": {"tenant_round": {"config": values}}}


def tenants_of(settings: Settings, name: str | None = None) -> list[Tenant]:
    """Give the tenant of this name, or all; raise ConfigError if there is none, naming those that there are."""
    tenants = settings.site.tenants
    if not tenants:
        raise ConfigError(["no tenant is configured; set ST_SF_CONFIG to a site file, or SERVICETITAN_… variables"])
    found = [tenant for tenant in tenants if name in (None, tenant.name)]
    if not found:
        raise ConfigError([f"there is no tenant {name!r}; configured are: {', '.join(t.name for t in tenants)}"])
    return found


def moment(text: str) -> datetime | None:
    """Read an ISO 8601 moment, UTC unless it says otherwise; None for no text. Raise ConfigError."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError([f"{text!r} is no moment; expected ISO 8601 such as 2026-01-31T12:00:00Z"]) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
