"""A whole small world for a test: stand-ins behind sockets, a site file, and rounds through the real Dagster job."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg
import yaml

from st_sf_pipelines.defs import instance
from st_sf_pipelines.operate.rounds import run_rounds
from st_sf_pipelines.settings import Settings, load
from st_sf_pipelines.simulators.crm.simulator import CrmSimulator
from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator
from st_sf_pipelines.simulators.servicetitan.simulator import ServiceTitanSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pytest

    from st_sf_pipelines.store.database import Database

TENANT = 4101


def small_shop(customers: int = 0, **records: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe a shop of one tenant, `socal`: generated customers, or just the records given, by entity."""
    tenant = {"id": TENANT, "name": "socal", "timezone": "America/Los_Angeles"}
    return {"name": "small", "seed": 7, "customers": customers, "tenants": [{**tenant, "records": records}]}


@dataclass
class World:
    """One tenant between two stand-ins; `extra` is laid over the site file's tenant, section by section."""

    st: ServiceTitanSimulator
    sf: SalesforceSimulator
    folder: Path
    dagster: dg.DagsterInstance
    extra: dict[str, Any] = field(default_factory=dict)
    crm: CrmSimulator | None = None

    @classmethod
    @contextmanager
    def opened(
        cls,
        database_url: str,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        shop: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Iterator[World]:
        """Start the stand-ins and set the variables; `options` go to the ServiceTitan stand-in.

        With the option `crm` the tenant has a CRM too: a stand-in of its own.
        """
        with_crm = options.pop("crm", False)
        monkeypatch.setenv("ST_SF_DATABASE_URL", database_url)
        monkeypatch.setenv("ST_SF_HOME", str(folder / "home"))
        monkeypatch.setenv("ST_SF_CONFIG", str(folder / "site.yaml"))
        options.setdefault("rate_limit", None)
        with (
            ServiceTitanSimulator(shop or small_shop(), **options) as st,
            SalesforceSimulator() as sf,
            dg.DagsterInstance.ephemeral() as dagster,
            ExitStack() as stack,
        ):
            opened = cls(st, sf, folder, dagster)
            if with_crm:
                opened.crm = stack.enter_context(CrmSimulator())
                opened.extra["crm"] = {name: opened.crm.credentials[name] for name in ("api_url", "api_key")}
            opened.write_site()
            try:
                yield opened
            finally:
                opened.db.close()
                instance._database.cache_clear()

    def write_site(self, *more_tenants: Mapping[str, Any], **top: Any) -> None:
        """Write the site file anew, with what `extra` says, further tenants and further top-level sections."""
        st = self.st.credentials
        tenant: dict[str, Any] = {
            "name": "socal",
            "id": st["tenant_id"],
            "timezone": st["timezone"],
            "servicetitan": {key: st[key] for key in ("api_url", "auth_url", "client_id", "client_secret", "app_key")},
            "salesforce": {key: self.sf.credentials[key] for key in ("instance_url", "access_token")},
        }
        for section, values in self.extra.items():
            tenant[section] = {**tenant.get(section, {}), **values} if isinstance(values, dict) else values
        (self.folder / "site.yaml").write_text(yaml.safe_dump({"tenants": [tenant, *more_tenants], **top}))

    @property
    def settings(self) -> Settings:
        """The settings as a program would read them now."""
        return load()

    @property
    def db(self) -> Database:
        """Our database."""
        return instance.open_database(self.settings)

    def sync_all(self, **options: Any) -> dict[str, Any]:
        """Run a round of every tenant, as `st-sf sync --json` does; give its object."""
        return run_rounds(self.dagster, self.settings, self.settings.site.tenants, **options)

    def sync(self, **options: Any) -> dict[str, Any]:
        """Run a round of the first tenant's site; give that tenant's part."""
        part: dict[str, Any] = self.sync_all(**options)["tenants"][0]
        return part

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Ask our database."""
        with self.db.connect() as connection:
            return connection.execute(query, values).fetchall()
