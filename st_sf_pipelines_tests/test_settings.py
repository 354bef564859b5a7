"""What a person gets wrong in the site file is told with file, line, field and what was expected, and no value."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.mapping import Transform
from st_sf_pipelines.settings import SERVICETITAN_VARIABLES, TARGET_VARIABLES, Settings, in_force, load

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = {
    "ST_SECRET": "hunter2-of-servicetitan",
    "ST_KEY": "hunter2-of-the-app",
    "SF_TOKEN": "hunter2-of-salesforce",
    "CRM_KEY": "hunter2-of-the-crm",
}
VARIABLES = {"ST_ID": "cid.1", **SECRETS}
SITE = """\
tenants:
  - name: socal
    id: 410387862
    timezone: America/Los_Angeles
    servicetitan:
      client_id: ${ST_ID}
      client_secret: ${ST_SECRET}
      app_key: ${ST_KEY}
    salesforce:
      instance_url: https://x.my.salesforce.com
      access_token: ${SF_TOKEN}
  - name: desert
    id: 7
    servicetitan: {client_id: x, client_secret: hunter2-inline, app_key: hunter2-inline}
segments:
  vip_lifetime_value: 12500.50
"""
# From design.md, section 8, to the letter.
DESIGNED = """\
tenants:
  - name: socal
    id: 410387862
    timezone: America/Los_Angeles
    servicetitan: {api_url: "https://api.servicetitan.io", auth_url: "https://auth.servicetitan.io/connect/token", client_id: "${ST_ID}", client_secret: "${ST_SECRET}", app_key: "${ST_KEY}"}
    salesforce: {instance_url: "https://x.my.salesforce.com", access_token: "${SF_TOKEN}"}          # or one of the grants below, or nothing but {} for the stored OAuth connection
    crm: {api_url: "https://crm.example.com", api_key: "${CRM_KEY}"}                                # or webhook_secret
"""  # noqa: E501 - as it is written there


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the site file of a test."""
    return tmp_path / "site.yaml"


@pytest.fixture
def read(path: Path) -> Callable[..., Settings]:
    """Give a function that writes a site file and reads the settings, with variables of its own."""

    def reader(text: str | bytes, **variables: str) -> Settings:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load({"ST_SF_CONFIG": str(path), **VARIABLES, **variables})

    return reader


def faults(read: Callable[..., Settings], text: str | bytes, **variables: str) -> list[str]:
    """Read a broken file; give what is told, and see that no value of it is among that."""
    with pytest.raises(ConfigError) as told:
        read(text, **variables)
    assert str(told.value) == "\n".join(told.value.faults)
    assert "hunter2" not in str(told.value)
    assert told.value.__context__ is None or told.value.__suppress_context__  # nor in what a traceback would show
    return told.value.faults


def broken(old: str, new: str) -> str:
    """Spoil the site file in one place."""
    assert SITE.count(old) >= 1
    return SITE.replace(old, new, 1)


def test_the_file_of_the_design_works_as_it_stands_there(read: Callable[..., Settings]) -> None:
    (tenant,) = read(DESIGNED).site.tenants
    assert (tenant.name, tenant.id, tenant.timezone) == ("socal", 410387862, "America/Los_Angeles")
    assert tenant.servicetitan.client_id == "cid.1"
    assert tenant.servicetitan.client_secret == SecretStr(SECRETS["ST_SECRET"])
    assert tenant.servicetitan.app_key == SecretStr(SECRETS["ST_KEY"])
    assert tenant.salesforce is not None
    assert tenant.salesforce.grant == "access_token"
    assert tenant.salesforce.access_token == SecretStr(SECRETS["SF_TOKEN"])
    assert tenant.crm is not None
    assert tenant.crm.api_key == SecretStr(SECRETS["CRM_KEY"])


def test_a_variable_may_stand_anywhere_in_a_value_and_in_any_type(read: Callable[..., Settings]) -> None:
    text = broken("410387862", "${ID}").replace("https://x.my", "https://${ORG}.my").replace("12500.50", '"${VIP}"')
    site = read(text, ID="12", ORG="acme", VIP="11000.25").site
    assert site.tenants[0].id == 12
    assert site.tenants[0].salesforce is not None
    assert site.tenants[0].salesforce.instance_url == "https://acme.my.salesforce.com"
    assert site.segments.vip_lifetime_value == Decimal("11000.25")


def test_a_variable_is_put_in_as_text_and_not_read_as_yaml(read: Callable[..., Settings]) -> None:
    nasty = 'a: [b] # "c" ${ST_ID} *d'
    assert read(SITE, ST_SECRET=nasty).site.tenants[0].servicetitan.client_secret == SecretStr(nasty)


def test_thresholds_stand_beside_the_tenants_or_inside_one(read: Callable[..., Settings]) -> None:
    site = read(SITE.replace("    id: 7\n", "    id: 7\n    segments: {recent_days: 90}\n")).site
    first, second = (site.segments_of(tenant) for tenant in site.tenants)
    assert (first.vip_lifetime_value, first.recent_days) == (Decimal("12500.5"), 180)
    assert (second.vip_lifetime_value, second.recent_days) == (Decimal(10_000), 90)


def test_rows_of_a_map_come_from_the_file(read: Callable[..., Settings]) -> None:
    rows = "\n      fields: {contacts: [{to: Kind__c, source: [city, zip], transform: lines}, {to: X, constant: 1}]}\n"
    salesforce = read(broken("${SF_TOKEN}\n", f"${{SF_TOKEN}}{rows}")).site.tenants[0].salesforce
    assert salesforce is not None
    kind, constant = salesforce.fields["contacts"]
    assert (kind.to, kind.columns, kind.transform) == ("Kind__c", ("city", "zip"), Transform.LINES)
    assert constant.constant == 1


def test_a_tenant_without_a_target_has_none_and_its_days_are_utc(read: Callable[..., Settings]) -> None:
    desert = read(SITE).site.tenants[1]
    assert (desert.salesforce, desert.crm, desert.zone.key) == (None, None, "UTC")


def test_the_addresses_follow_the_environment_unless_they_are_given(read: Callable[..., Settings]) -> None:
    integration = SITE.replace("    timezone:", "    environment: integration\n    timezone:", 1)
    given = integration.replace("    servicetitan:\n", "    servicetitan:\n      api_url: https://st.example.com\n", 1)
    told = [
        (section.api_url, section.auth_url)
        for text in (SITE, integration, given)
        for section in [read(text).site.tenants[0].servicetitan]
    ]
    there = "https://auth-integration.servicetitan.io/connect/token"
    assert told == [
        ("https://api.servicetitan.io", "https://auth.servicetitan.io/connect/token"),
        ("https://api-integration.servicetitan.io", there),
        ("https://st.example.com", there),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            broken("timezone:", "environment: [1]\n    timezone:"),
            "4: tenants.0.environment: input should be 'production' or 'integration'",
            id="an environment that is none",
        ),
        pytest.param(
            broken("timezone:", "time_zone:"),
            "4: tenants.0.time_zone: is not known here; look for a typing error",
            id="a key that is not known",
        ),
        pytest.param(
            f"{SITE}tenant: []\n", "17: tenant: is not known here; look for a typing error", id="a top key not known"
        ),
        pytest.param(
            broken("      app_key: ${ST_KEY}\n", ""),
            "5: tenants.0.servicetitan.app_key: is missing; a value is expected here",
            id="a field that is missing",
        ),
        pytest.param(
            broken("America/Los_Angeles", "America/Los_Angelos"),
            "4: tenants.0.timezone: 'America/Los_Angelos' is no time zone; expected one such as America/Los_Angeles",
            id="a zone that is none",
        ),
        pytest.param(
            broken("https://x.my.salesforce.com", "x.my.salesforce.com"),
            "10: tenants.0.salesforce.instance_url: expected an address that begins with https://"
            " (http:// only on this machine)",
            id="an address without a scheme",
        ),
        pytest.param(
            broken("https://x.my", "http://x.my"),
            "10: tenants.0.salesforce.instance_url: expected an address that begins with https://"
            " (http:// only on this machine)",
            id="an address that is not encrypted",
        ),
        pytest.param(
            broken("${ST_KEY}", "${ST_KYE}"),
            "8: tenants.0.servicetitan.app_key: the variable ST_KYE is not set",
            id="a variable that is not set",
        ),
        pytest.param(
            broken("410387862", "hunter2"),
            "3: tenants.0.id: input should be a valid integer, unable to parse string as an integer",
            id="a text where a number is expected",
        ),
        pytest.param(
            broken("${ST_SECRET}", "[hunter2]"),
            "7: tenants.0.servicetitan.client_secret: input should be a valid string",
            id="a list where a text is expected",
        ),
        pytest.param(
            broken("${ST_SECRET}", "{{ hunter2 }}"),
            "7: tenants.0.servicetitan.client_secret: input should be a valid string",
            id="a placeholder of another program",
        ),
        pytest.param(
            broken("name: socal", "name: so cal"),
            "2: tenants.0.name: string should match pattern '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'",
            id="a name with a blank",
        ),
        pytest.param(
            broken("410387862", "0"), "3: tenants.0.id: input should be greater than 0", id="a number out of bounds"
        ),
        pytest.param(
            broken("    timezone", "    id: 5\n    timezone"),
            "4: tenants.0.id: stands here twice",
            id="the same key twice",
        ),
        pytest.param(
            broken("name: desert", "name: socal"),
            "1: (the whole file): two tenants share the name socal",
            id="two tenants of one name",
        ),
        pytest.param(
            broken("id: 7", "id: 410387862"),
            "1: (the whole file): two tenants share the id 410387862",
            id="two tenants of one id",
        ),
        pytest.param(
            broken("access_token: ${SF_TOKEN}", "refresh_token: hunter2"),
            "9: tenants.0.salesforce: no grant is complete; expected access_token with instance_url, or refresh_token"
            " with client_id, or username, private_key and client_id, or client_id with client_secret",
            id="no grant that is complete",
        ),
        pytest.param(
            broken("      instance_url: https://x.my.salesforce.com\n", ""),
            "9: tenants.0.salesforce: access_token needs instance_url beside it",
            id="a token without its place",
        ),
        pytest.param(
            broken("12500.50", "4999.99"),
            "15: segments: vip_lifetime_value must not be below high_lifetime_value",
            id="VIP below High Value",
        ),
        pytest.param(
            broken("vip_lifetime_value: 12500.50", "churning_days: 90"),
            "15: segments: churning_days must not be below recent_days",
            id="Churning before At Risk",
        ),
        pytest.param(
            broken("12500.50", "hunter2"),
            "16: segments.vip_lifetime_value: input should be a valid decimal",
            id="an amount that is none",
        ),
        pytest.param(
            broken("${SF_TOKEN}", '${SF_TOKEN}\n      external_id: "c-{nr}"'),
            "12: tenants.0.salesforce.external_id: string should match pattern"
            r" '^[A-Za-z0-9_-]*\{id\}[A-Za-z0-9_-]*$'",
            id="a key format without the id",
        ),
        pytest.param("tenants:\n", "1: tenants: input should be a valid list", id="nothing where a list is expected"),
    ],
)
def test_each_fault_is_told_with_its_place_and_what_was_expected(
    read: Callable[..., Settings], path: Path, text: str, told: str
) -> None:
    assert faults(read, text) == [f"{path}:{told}"]


def test_all_faults_are_told_at_once(read: Callable[..., Settings], path: Path) -> None:
    text = broken("America/Los_Angeles", "Mars").replace("id: 7", "id: hunter2").replace("x.my.sales", "x.your.sales")
    told = faults(read, text.replace("https://", "ftp://"))
    assert [fault.removeprefix(f"{path}:").partition(": ")[0] for fault in told] == ["4", "10", "13"]
    assert len(faults(read, broken("${ST_KEY}", "${A}${B}").replace("${ST_ID}", "${C}"))) == 3


def test_a_fault_in_a_row_of_a_map_names_the_row(read: Callable[..., Settings], path: Path) -> None:
    rows = "${SF_TOKEN}\n      fields:\n        accounts:\n          - to: X\n            sauce: hunter2\n"
    assert faults(read, broken("${SF_TOKEN}\n", rows)) == [
        f"{path}:15: tenants.0.salesforce.fields.accounts.0.sauce: is not known here; look for a typing error"
    ]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        pytest.param(broken("    salesforce:", "    salesforce"), 10, "is not YAML: ", id="no colon"),
        pytest.param(broken("${ST_SECRET}", '"hunter2'), 18, "is not YAML: ", id="a quote that is not closed"),
        pytest.param(broken("      app_key", "\tapp_key"), 8, r"is not YAML: found character '\t'", id="a tab"),
        pytest.param(broken("${ST_SECRET}", "hunter2: x"), 7, "is not YAML: ", id="a colon in a value"),
        pytest.param(broken("${ST_SECRET}", "@hunter2"), 7, "is not YAML: found character '@'", id="an at sign"),
    ],
)
def test_what_is_not_yaml_is_told_with_its_line(
    read: Callable[..., Settings], path: Path, text: str, line: int, told: str
) -> None:
    (fault,) = faults(read, text)
    assert fault.startswith(f"{path}:{line}: {told}") or (line == 18 and fault.startswith(f"{path}:17: {told}"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(broken("${ST_SECRET}", "!vault hunter2"), 7, id="a tag of another program"),
        pytest.param(broken("${ST_SECRET}", "!hunter2"), 7, id="a secret that begins as a tag does"),
        pytest.param(broken("${ST_SECRET}", "*hunter2"), 7, id="a secret that begins as an alias does"),
        pytest.param(broken("name: socal", "name: 2026-13-45"), 2, id="a date that is none"),
        pytest.param(broken("410387862", "!!int hunter2"), 3, id="a number that is none"),
    ],
)
def test_what_yaml_itself_cannot_read_is_told_without_its_words(
    read: Callable[..., Settings], path: Path, text: str, line: int
) -> None:
    (fault,) = faults(read, text)
    assert fault.startswith(f"{path}:{line}: ")


@pytest.mark.parametrize("address", ["http://127.0.0.1.hunter2.com", "http://localhost.hunter2.com", "https://"])
def test_an_address_is_checked_by_its_host_and_not_by_how_it_begins(
    read: Callable[..., Settings], path: Path, address: str
) -> None:
    (fault,) = faults(read, broken("https://x.my.salesforce.com", address))
    assert fault.startswith(f"{path}:10: tenants.0.salesforce.instance_url: expected an address")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8001", "http://localhost:8001/", "http://[::1]:8001", "https://x.com/y/"]
)
def test_an_address_of_this_machine_or_an_encrypted_one_is_taken(read: Callable[..., Settings], address: str) -> None:
    salesforce = read(broken("https://x.my.salesforce.com", address)).site.tenants[0].salesforce
    assert salesforce is not None
    assert salesforce.instance_url == address.rstrip("/")


def test_a_threshold_finer_than_a_cent_is_refused(read: Callable[..., Settings], path: Path) -> None:
    (fault,) = faults(read, broken("12500.50", "12500.505"))
    assert fault.startswith(f"{path}:16: segments.vip_lifetime_value: ")


ORG = """\
  - name: {name}
    id: {id}
    servicetitan: {{client_id: x, client_secret: x, app_key: x}}
    salesforce: {{client_id: x, client_secret: x, {more}}}
"""


def two_tenants(first: str, second: str) -> str:
    return "tenants:\n" + ORG.format(name="one", id=1, more=first) + ORG.format(name="two", id=2, more=second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("instance_url: https://x.my.salesforce.com", "instance_url: https://x.my.salesforce.com/"),
        ("instance_url: https://x.my.salesforce.com", "instance_url: https://X.my.Salesforce.com"),
        ("login_url: https://x.my.salesforce.com", "login_url: https://x.my.salesforce.com"),
        ("login_url: https://x.my.salesforce.com", "instance_url: https://x.my.salesforce.com"),
    ],
)
def test_two_tenants_in_one_org_with_one_key_format_are_refused(
    read: Callable[..., Settings], path: Path, first: str, second: str
) -> None:
    (fault,) = faults(read, two_tenants(first, second))
    assert fault == (
        f"{path}:1: (the whole file): tenants one and two share a Salesforce org and the key format 'st_{{id}}';"
        " give one of them another salesforce.external_id, such as 'two_{id}'"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("instance_url: https://x.my.salesforce.com", "instance_url: https://y.my.salesforce.com"),
        ("instance_url: https://x.com", "instance_url: https://x.com, external_id: 'two_{id}'"),
        ("owner: a@b.com", "owner: a@b.com"),
    ],
)
def test_two_orgs_two_formats_or_an_org_that_only_the_login_tells_are_taken(
    read: Callable[..., Settings], first: str, second: str
) -> None:
    assert len(read(two_tenants(first, second)).site.tenants) == 2


def test_an_empty_file_is_a_site_without_tenants(read: Callable[..., Settings]) -> None:
    assert read("").site.tenants == read("# nothing yet\n").site.tenants == []


@pytest.mark.parametrize("text", ["- hunter2\n", "hunter2", "- name: socal\n  id: 5\n"])
def test_a_list_or_a_word_in_place_of_the_site_is_told(read: Callable[..., Settings], path: Path, text: str) -> None:
    (fault,) = faults(read, text)
    assert fault.startswith(f"{path}:1: (the whole file): input should be a valid dictionary")


def test_a_file_that_cannot_be_read_is_named_with_the_variable_that_names_it(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "no.yaml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError) as told:
            load({"ST_SF_CONFIG": str(path)})
        assert told.value.faults == [f"{path}: cannot be read ({why}); ST_SF_CONFIG names it"]


def test_bytes_that_are_no_text_are_told(read: Callable[..., Settings], path: Path) -> None:
    assert faults(read, b"tenants: \xff hunter2\n") == [f"{path}: is not UTF-8 text (byte 9)"]
    assert faults(read, b"tenants: \x00\n")[0].startswith(f"{path}: is not YAML: ")


def test_variables_alone_make_one_tenant_named_default() -> None:
    env = {
        "SERVICETITAN_API_URL": "http://127.0.0.1:8001/",
        "SERVICETITAN_AUTH_URL": "http://127.0.0.1:8001/connect/token",
        "SERVICETITAN_CLIENT_ID": "cid.1",
        "SERVICETITAN_CLIENT_SECRET": "s",
        "SERVICETITAN_APP_KEY": "k",
        "SERVICETITAN_TENANT_ID": "410387862",
        "SERVICETITAN_TIMEZONE": "America/Denver",
        "SALESFORCE_INSTANCE_URL": "https://x.my.salesforce.com",
        "SALESFORCE_ACCESS_TOKEN": "t",
        "CRM_API_URL": "https://crm.example.com",
        "CRM_API_KEY": "c",
    }
    settings = load(env)
    (tenant,) = settings.site.tenants
    assert (tenant.name, tenant.id, tenant.zone.key) == ("default", 410387862, "America/Denver")
    assert tenant.servicetitan.api_url == "http://127.0.0.1:8001"
    assert tenant.salesforce is not None
    assert tenant.salesforce.grant == "access_token"
    assert tenant.crm is not None
    assert settings.origins["tenants.0.servicetitan.app_key"] == "SERVICETITAN_APP_KEY"


def test_without_a_zone_or_a_target_the_tenant_of_the_variables_has_neither() -> None:
    env = {
        "SERVICETITAN_CLIENT_ID": "cid.1",
        "SERVICETITAN_CLIENT_SECRET": "s",
        "SERVICETITAN_APP_KEY": "k",
        "SERVICETITAN_TENANT_ID": "1",
    }
    (tenant,) = load(env).site.tenants
    assert (tenant.timezone, tenant.salesforce, tenant.crm) == ("UTC", None, None)


def test_a_wrong_or_missing_variable_is_told_by_its_name() -> None:
    with pytest.raises(ConfigError) as told:
        load({"SERVICETITAN_TENANT_ID": "hunter2", "SERVICETITAN_CLIENT_ID": "x", "CRM_API_KEY": "hunter2"})
    assert told.value.faults == [
        "SERVICETITAN_TENANT_ID: input should be a valid integer, unable to parse string as an integer",
        "SERVICETITAN_CLIENT_SECRET: is missing; a value is expected here",
        "SERVICETITAN_APP_KEY: is missing; a value is expected here",
        "CRM_API_URL: is missing; a value is expected here",
    ]


@pytest.mark.parametrize(("sandbox", "host"), [("true", "test"), ("TRUE", "test"), ("false", "login"), ("", "login")])
def test_a_sandbox_logs_in_where_sandboxes_do(sandbox: str, host: str) -> None:
    env = {
        **dict.fromkeys(SERVICETITAN_VARIABLES, "1"),
        "SERVICETITAN_API_URL": "https://a",
        "SERVICETITAN_AUTH_URL": "https://a",
        "SERVICETITAN_TIMEZONE": "UTC",
        "SALESFORCE_CLIENT_ID": "c",
        "SALESFORCE_REFRESH_TOKEN": "r",
        "SALESFORCE_SANDBOX": sandbox,
    }
    salesforce = load(env).site.tenants[0].salesforce
    assert salesforce is not None
    assert (salesforce.grant, salesforce.login_url) == ("refresh_token", f"https://{host}.salesforce.com")


def test_every_variable_names_a_value_of_a_tenant() -> None:
    values: dict[tuple[str, ...], Any] = {("id",): "5", ("timezone",): "UTC", ("salesforce", "api_version"): "63.0"}
    env = {
        name: values.get(at, "https://x.com" if at[-1].endswith("url") else "x")
        for name, at in {**SERVICETITAN_VARIABLES, **TARGET_VARIABLES}.items()
    }
    settings = load(env)
    shown = {name: origin for name, _, origin in in_force(settings)}
    for name, at in {**SERVICETITAN_VARIABLES, **TARGET_VARIABLES}.items():
        assert shown[".".join(("tenants", "0", *at))] == name


def test_no_variable_at_all_is_a_site_without_tenants_and_the_defaults() -> None:
    settings = load({})
    assert settings.site.tenants == []
    assert (settings.home, settings.database_url) == (Path(".st_sf").absolute(), None)
    assert (settings.cron, settings.enabled, settings.log_level) == ("*/5 * * * *", True, "WARNING")


def test_the_variables_of_the_program_itself_are_read() -> None:
    settings = load(
        {
            "ST_SF_HOME": "/tmp/state",
            "ST_SF_DATABASE_URL": "postgresql://localhost/x",
            "CRM_SYNC_CRON": "*/20 * * * * *",
            "ST_SF_LOG_LEVEL": "debug",
        }
    )
    assert (settings.home, settings.database_url) == (Path("/tmp/state"), "postgresql://localhost/x")
    assert (settings.cron, settings.log_level) == ("*/20 * * * * *", "DEBUG")
    switched = [load({"CRM_SYNC_ENABLED": word}).enabled for word in ("true", "1", "", "false", "False", "0", "off")]
    assert switched == [True, True, True, False, False, False, False]


@pytest.mark.parametrize(("variable", "value"), [("CRM_SYNC_CRON", "whenever"), ("ST_SF_LOG_LEVEL", "LOUD")])
def test_a_variable_of_the_program_itself_that_is_wrong_is_told_before_anything_starts(
    variable: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=rf"^{variable}: "):
        load({variable: value})


def test_what_is_in_force_shows_every_value_with_its_origin_and_no_secret(read: Callable[..., Settings]) -> None:
    shown = {name: (value, origin) for name, value, origin in in_force(read(SITE, ST_SF_DATABASE_URL="postgresql://"))}
    assert "hunter2" not in str(shown)
    assert shown["tenants.0.servicetitan.client_secret"] == ("********", "site.yaml:7")
    assert shown["tenants.0.salesforce.access_token"] == ("********", "site.yaml:11")
    assert shown["tenants.1.servicetitan.app_key"] == ("********", "site.yaml:14")
    assert shown["tenants.0.id"] == ("410387862", "site.yaml:3")
    assert shown["tenants.0.servicetitan.client_id"] == ("cid.1", "site.yaml:6")
    assert shown["tenants.0.servicetitan.calls_per_second"] == ("60", "default")
    assert shown["tenants.1.timezone"] == ("UTC", "default")
    assert shown["segments.vip_lifetime_value"] == ("12500.5", "site.yaml:16")
    assert shown["segments.recent_days"] == ("180", "default")
    assert shown["database"] == ("by URL", "ST_SF_DATABASE_URL")


def test_what_is_in_force_for_one_tenant_leaves_the_others_out(read: Callable[..., Settings]) -> None:
    settings = read(SITE)
    every, first = (
        {name for name, *_ in in_force(settings, tenant)} for tenant in (None, settings.site.tenants[0].name)
    )
    assert every - first == {name for name in every if name.startswith("tenants.1.")} != set()


def test_what_is_in_force_shows_what_the_program_itself_goes_by() -> None:
    shown = {name: (value, origin) for name, value, origin in in_force(load({"CRM_SYNC_ENABLED": "false"}))}
    assert shown["database"] == ("embedded", "default")
    assert shown["cron"][0] == "*/5 * * * *"
    assert shown["enabled"][0] == "false"
    assert not [name for name in shown if name.startswith("tenants")]


def test_settings_do_not_give_a_secret_away_when_they_are_printed(read: Callable[..., Settings]) -> None:
    assert "hunter2" not in repr(read(DESIGNED).site)
