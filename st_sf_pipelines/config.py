"""What a deployment may change: the models of tenants, credentials, thresholds and maps, from whatever source."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from st_sf_pipelines.mapping import Field as MapField

_LOOPBACK = re.compile(r"127(\.\d{1,3}){3}")


def _zone(name: object) -> object:
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"{name!r} is no time zone; expected one such as America/Los_Angeles"
        raise ValueError(msg) from None
    return name


def _url(text: object) -> object:
    try:
        parts = urlsplit(str(text))
    except ValueError:
        parts = urlsplit("")
    host = parts.hostname or ""
    is_near = host in ("localhost", "::1") or _LOOPBACK.fullmatch(host) is not None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_near)):
        msg = "expected an address that begins with https:// (http:// only on this machine)"
        raise ValueError(msg)
    return str(text).rstrip("/")


def _lower(text: object) -> object:
    return text.strip().lower() if isinstance(text, str) else text


Zone = Annotated[str, BeforeValidator(_zone)]
Url = Annotated[str, BeforeValidator(_url)]


class Model(BaseModel):
    """Every model here is frozen, and refuses a key that it does not know: a typing error is told, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ENVIRONMENTS: Final = {
    "production": {
        "api_url": "https://api.servicetitan.io",
        "auth_url": "https://auth.servicetitan.io/connect/token",
    },
    "integration": {
        "api_url": "https://api-integration.servicetitan.io",
        "auth_url": "https://auth-integration.servicetitan.io/connect/token",
    },
}
"""ServiceTitan's addresses: its own, and those of the copy that integrations are tried on."""


class ServiceTitan(Model):
    """One tenant's access to ServiceTitan (EXT-2); `auth_url` is the whole token address."""

    api_url: Url = ENVIRONMENTS["production"]["api_url"]
    auth_url: Url = ENVIRONMENTS["production"]["auth_url"]
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    app_key: SecretStr = Field(min_length=1)
    calls_per_second: float = Field(default=60, gt=0, le=60, description="ServiceTitan allows 60 (EXT-7)")
    list_page_size: int = Field(default=2000, ge=1, le=5000, description="records of a list's page")
    sweep_calls: int = Field(default=500, ge=0, description="calls of a night's sweep of ids (EXT-5); 0: no sweep")


class Salesforce(Model):
    """One tenant's access to Salesforce: where it is, one grant, and how far the sync may go.

    The grants, the first that is complete: `access_token`; `refresh_token` with `client_id`; `username`, `private_key`
    and `client_id` (JWT bearer); `client_id` with `client_secret` (client credentials).
    """

    instance_url: Url | None = None
    login_url: Url = "https://login.salesforce.com"
    api_version: str = Field(default="62.0", pattern=r"^\d\d\.0$")
    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    username: str | None = None
    private_key: SecretStr | None = None
    external_id: str = Field(
        default="st_{id}", pattern=r"^[A-Za-z0-9_-]*\{id\}[A-Za-z0-9_-]*$", description="key format"
    )
    adopt: Literal["ask", "skip"] = Field(default="ask", description="SF-13: skip writes without matching first")
    reserve: float = Field(default=0.10, ge=0, lt=1, description="share of the day's API calls left untouched")
    bulk_threshold: int = Field(default=2000, gt=0)
    owner: str | None = Field(default=None, description="e-mail of the default owner")
    campaigns: dict[str, str] = Field(default_factory=dict, description="segment to campaign id")
    events_since: AwareDatetime | None = Field(
        default=None, description="jobs completed since are events; unset: 90 days before the first round (SF-3)"
    )
    converted_status: str | None = Field(
        default=None, description="status of a converted lead; unset: the org's first one of that kind"
    )
    fields: dict[
        Literal["accounts", "contacts", "opportunities", "events", "leads", "campaign_members"], list[MapField]
    ] = Field(default_factory=dict, description="rows laid over the maps in systems/salesforce (objects.py, deals.py)")

    @property
    def grant(self) -> Literal["access_token", "refresh_token", "jwt", "client_credentials"] | None:
        """Name the first grant that is complete, None if there is none."""
        if self.access_token and self.instance_url:
            return "access_token"
        if self.refresh_token and self.client_id:
            return "refresh_token"
        if self.username and self.private_key and self.client_id:
            return "jwt"
        return "client_credentials" if self.client_id and self.client_secret else None

    @model_validator(mode="after")
    def _one_grant(self) -> Salesforce:
        if self.access_token and not self.instance_url:
            msg = "access_token needs instance_url beside it"
            raise ValueError(msg)
        if self.grant is None:
            msg = (
                "no grant is complete; expected access_token with instance_url, or refresh_token with client_id, or "
                "username, private_key and client_id, or client_id with client_secret"
            )
            raise ValueError(msg)
        return self


class Crm(Model):
    """One tenant's access to the Payload CRM, by API key or shared secret, and the CRM's own names of things."""

    api_url: Url
    api_key: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    concurrency: int = Field(default=4, ge=1, le=8, description="connections that write at a time")
    adopt: Literal["ask", "skip"] = Field(default="ask", description="SF-13: skip writes without matching first")
    collections: dict[Literal["contacts", "opportunities", "activities", "pipelines", "stages", "users"], str] = Field(
        default_factory=dict, description="our name to the collection's slug there, where it is another"
    )
    names: dict[Literal["contacts", "opportunities", "activities"], dict[str, str]] = Field(
        default_factory=dict, description="a field's name in systems/crm/objects.py to its name there"
    )
    fields: dict[Literal["contacts", "opportunities", "activities"], list[MapField]] = Field(
        default_factory=dict, description="rows laid over the maps in systems/crm/objects.py"
    )


class Segments(Model):
    """The thresholds of SEG-4, in dollars and whole days; a bound that is reached counts."""

    vip_lifetime_value: Decimal = Field(default=Decimal(10_000), ge=0, decimal_places=2)
    high_lifetime_value: Decimal = Field(default=Decimal(5_000), ge=0, decimal_places=2)
    recent_days: int = Field(default=180, ge=1, description="VIP below it, At Risk above it")
    churning_days: int = Field(default=365, ge=1, description="Churning above it")

    @model_validator(mode="after")
    def _in_order(self) -> Segments:
        if self.vip_lifetime_value < self.high_lifetime_value:
            msg = "vip_lifetime_value must not be below high_lifetime_value"
            raise ValueError(msg)
        if self.churning_days < self.recent_days:
            msg = "churning_days must not be below recent_days"
            raise ValueError(msg)
        return self


class Guard(Model):
    """The mass-change guard of CRM-15: what is more than both is stopped until a person allows it."""

    share: float = Field(default=0.10, ge=0, le=1, description="share of an object's linked records")
    at_least: int = Field(default=20, ge=1, description="fewer records are never a mass change")


class Pipelines(Model):
    """The windows of CRM-1 to CRM-8 in whole days, and the business units laid over the table in rules/pipelines.py."""

    contact_window_days: Annotated[int, Field(ge=0)] | Literal["all"] = 90
    opportunity_window_days: int = Field(default=14, ge=0)
    canceled_days: int = Field(default=30, ge=1, description="a canceled job without a next one: lost (CRM-2)")
    close_after_days: int = Field(default=30, ge=0, description="CloseDate of an open opportunity (SF-3)")
    business_units: dict[str, Annotated[Literal["sales", "install"], BeforeValidator(_lower)]] = Field(
        default_factory=dict, description="name of a unit to its pipeline, case and spacing aside"
    )


Staleable = Annotated[Literal["2", "2.5", "3", "4", "5", "5.5"], BeforeValidator(str)]


class States(Model):
    """How many whole days after it was entered a customer state goes back to 0 (STATE-2)."""

    reset_after_days: int = Field(default=90, ge=1, description="states 1 and 6")
    stale_after: dict[Staleable, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="of the other states, days by state; none: it stays until a fact moves it"
    )


class Retention(Model):
    """How many days we remember what is no fact (OPS-7); records, histories and quarantine stay for good."""

    runs_days: int = Field(default=14, ge=1, description="Dagster's runs, but the latest of each asset and tenant")
    audit_days: int = Field(default=90, ge=1, description="rounds and what each asset did in them")
    receipts_days: int = Field(default=90, ge=1, description="receipts, but the newest of each record")
    standstill_days: int = Field(default=30, ge=1, description="the log of an asset that no longer reads it")


class Tenant(Model):
    """One ServiceTitan account, and where its customers go (EXT-8)."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")
    id: int = Field(gt=0, description="the ServiceTitan tenant id")
    timezone: Zone = "UTC"
    environment: Literal["production", "integration"] = "production"
    servicetitan: ServiceTitan
    salesforce: Salesforce | None = None
    crm: Crm | None = None
    segments: Segments | None = Field(default=None, description="instead of the site's, for this tenant")
    guard: Guard | None = Field(default=None, description="instead of the site's, for this tenant")
    pipelines: Pipelines | None = Field(default=None, description="instead of the site's, for this tenant")
    states: States | None = Field(default=None, description="instead of the site's, for this tenant")

    @model_validator(mode="before")
    @classmethod
    def _at_home(cls, given: Any) -> Any:
        """Let the addresses that are not given be those of the environment."""
        section = given.get("servicetitan") if isinstance(given, dict) else None
        if not isinstance(section, dict):
            return given
        return {**given, "servicetitan": {**ENVIRONMENTS.get(str(given.get("environment")), {}), **section}}

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this tenant's days begin and end."""
        return ZoneInfo(self.timezone)


SHARED_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
"""Where every org logs in: they do not tell two orgs apart."""


class Site(Model):
    """The whole site file: its tenants, and the overrides that hold for all of them."""

    tenants: list[Tenant] = Field(default_factory=list)
    segments: Segments = Field(default_factory=Segments)
    guard: Guard = Field(default_factory=Guard)
    pipelines: Pipelines = Field(default_factory=Pipelines)
    states: States = Field(default_factory=States)
    retention: Retention = Field(default_factory=Retention)

    @model_validator(mode="after")
    def _apart(self) -> Site:
        for what in ("name", "id"):
            seen = [getattr(tenant, what) for tenant in self.tenants]
            if doubles := sorted({str(value) for value in seen if seen.count(value) > 1}):
                msg = f"two tenants share the {what} {', '.join(doubles)}"
                raise ValueError(msg)
        self._keys_apart()
        return self

    def _keys_apart(self) -> None:
        """Refuse two tenants that would write the same keys into one org (SF-1)."""
        orgs: dict[tuple[str, str], str] = {}
        for tenant in self.tenants:
            if tenant.salesforce is None:
                continue
            url = tenant.salesforce.instance_url or tenant.salesforce.login_url
            place = (urlsplit(url).netloc.lower(), tenant.salesforce.external_id)
            if place[0] not in SHARED_HOSTS and place in orgs:
                msg = (
                    f"tenants {orgs[place]} and {tenant.name} share a Salesforce org and the key format "
                    f"{place[1]!r}; give one of them another salesforce.external_id, such as '{tenant.name}_{{id}}'"
                )
                raise ValueError(msg)
            orgs[place] = tenant.name

    def guard_of(self, tenant: Tenant) -> Guard:
        """Give the guard in force for a tenant."""
        return tenant.guard or self.guard

    def segments_of(self, tenant: Tenant) -> Segments:
        """Give the thresholds in force for a tenant."""
        return tenant.segments or self.segments

    def pipelines_of(self, tenant: Tenant) -> Pipelines:
        """Give the windows and business units in force for a tenant."""
        return tenant.pipelines or self.pipelines

    def states_of(self, tenant: Tenant) -> States:
        """Give the days after which states go back, as in force for a tenant."""
        return tenant.states or self.states
