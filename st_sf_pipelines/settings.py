"""Reads the environment and the site file into typed settings; entry points call it, nothing else does."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from cronsim import CronSim, CronSimError
from pydantic import SecretStr, ValidationError

from st_sf_pipelines.config import Site
from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.store.outgoing import SOURCES
from st_sf_pipelines.systems.targets import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Path_ = tuple[str | int, ...]

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

# fmt: off
SERVICETITAN_VARIABLES: Final = {
    "SERVICETITAN_API_URL":       ("servicetitan", "api_url"),
    "SERVICETITAN_AUTH_URL":      ("servicetitan", "auth_url"),
    "SERVICETITAN_CLIENT_ID":     ("servicetitan", "client_id"),
    "SERVICETITAN_CLIENT_SECRET": ("servicetitan", "client_secret"),
    "SERVICETITAN_APP_KEY":       ("servicetitan", "app_key"),
    "SERVICETITAN_TENANT_ID":     ("id",),
    "SERVICETITAN_TIMEZONE":      ("timezone",),
}
TARGET_VARIABLES: Final = {
    "SALESFORCE_LOGIN_URL":       ("salesforce", "login_url"),
    "SALESFORCE_CLIENT_ID":       ("salesforce", "client_id"),
    "SALESFORCE_CLIENT_SECRET":   ("salesforce", "client_secret"),
    "SALESFORCE_REFRESH_TOKEN":   ("salesforce", "refresh_token"),
    "SALESFORCE_INSTANCE_URL":    ("salesforce", "instance_url"),
    "SALESFORCE_ACCESS_TOKEN":    ("salesforce", "access_token"),
    "SALESFORCE_USERNAME":        ("salesforce", "username"),
    "SALESFORCE_PRIVATE_KEY":     ("salesforce", "private_key"),
    "SALESFORCE_API_VERSION":     ("salesforce", "api_version"),
    "CRM_API_URL":                ("crm", "api_url"),
    "CRM_API_KEY":                ("crm", "api_key"),
    "CRM_WEBHOOK_SECRET":         ("crm", "webhook_secret"),
}
# fmt: on


LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Settings:
    """What is in force: where state lies, which database, when to poll, and the site with its tenants."""

    home: Path
    database_url: str | None
    site: Site
    origins: dict[str, str]
    """Dotted name of each value that is not a default → the variable, or 'file:line', that it comes from."""
    cron: str
    enabled: bool
    log_level: str


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read everything there is to read; raise ConfigError with every fault, each with its place and its mend."""
    env = os.environ if environ is None else environ
    path = env.get("ST_SF_CONFIG")
    site, origins = _from_file(Path(path), env) if path else _from_variables(env)
    cron = env.get("CRM_SYNC_CRON") or "*/5 * * * *"
    log_level = (env.get("ST_SF_LOG_LEVEL") or "WARNING").upper()
    try:
        CronSim(cron, datetime.now(UTC))
    except CronSimError:
        raise ConfigError([f"CRM_SYNC_CRON: {cron!r} is no beat; expected five fields, such as */5 * * * *"]) from None
    if log_level not in LOG_LEVELS:
        raise ConfigError([f"ST_SF_LOG_LEVEL: {log_level!r} is no level; expected one of {', '.join(LOG_LEVELS)}"])
    return Settings(
        home=Path(env.get("ST_SF_HOME") or ".st_sf").absolute(),
        database_url=env.get("ST_SF_DATABASE_URL") or None,
        site=site,
        origins=origins,
        cron=cron,
        enabled=(env.get("CRM_SYNC_ENABLED") or "true").lower() not in ("false", "0", "no", "off"),
        log_level=log_level,
    )


def in_force(settings: Settings, tenant: str | None = None) -> Iterator[tuple[str, str, str]]:
    """List every value, or one tenant's, as (dotted name, value, origin); secrets are masked (`st-sf config`)."""
    yield "home", str(settings.home), "ST_SF_HOME or default"
    yield (
        "database",
        "by URL" if settings.database_url else "embedded",
        "ST_SF_DATABASE_URL" if settings.database_url else "default",
    )
    yield "cron", settings.cron, "CRM_SYNC_CRON or default"
    yield "enabled", str(settings.enabled).lower(), "CRM_SYNC_ENABLED or default"
    others = tuple(f"tenants.{n}." for n, each in enumerate(settings.site.tenants) if tenant not in (None, each.name))
    yield from (row for row in _values(settings.site, (), settings.origins) if not row[0].startswith(others))


def _values(node: Any, at: Path_, origins: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    children: list[tuple[str | int, Any]]
    if isinstance(node, list | tuple):
        children = list(enumerate(node))
    elif isinstance(node, dict):
        children = list(node.items())
    elif hasattr(type(node), "model_fields"):
        children = [(name, getattr(node, name)) for name in type(node).model_fields]
    else:
        shown = "********" if isinstance(node, SecretStr) else str(node)
        origin = origins.get(_dotted(at), "default")
        yield _dotted(at), shown, origin
        return
    for name, child in children:
        if child is not None:
            yield from _values(child, (*at, name), origins)


def _from_file(path: Path, env: Mapping[str, str]) -> tuple[Site, dict[str, str]]:
    """Read the site file, keeping the line of every value for the errors and for `st-sf config`."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); ST_SF_CONFIG names it"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (byte {error.start})"]) from None
    except yaml.composer.ComposerError as error:  # its words quote the file's
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: is not YAML: an alias that is not there; put quotes around it"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError([f"{path}:{line}: is not YAML: {error.problem or error.context}"]) from None
    except yaml.YAMLError:
        raise ConfigError([f"{path}: is not YAML: it holds a character that is not allowed"]) from None
    faults: list[str] = []
    lines: dict[Path_, int] = {(): 1}
    data = _plain(root, (), lines, env, faults, path) if root is not None else {}
    if faults:
        raise ConfigError(faults)
    site = _validated(data, lambda at: f"{path}:{_line(at, lines)}: {_dotted(at)}")
    return site, {_dotted(at): f"{path.name}:{line}" for at, line in lines.items() if at}


def _plain(
    node: yaml.Node, at: Path_, lines: dict[Path_, int], env: Mapping[str, str], faults: list[str], path: Path
) -> Any:
    """Turn a YAML node into plain data, putting variables in and noting the line of every value."""
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in out:
                faults.append(f"{path}:{key_node.start_mark.line + 1}: {_dotted((*at, key))}: stands here twice")
            out[key] = _plain(value_node, (*at, key), lines, env, faults, path)
            lines[*at, key] = key_node.start_mark.line + 1
        return out
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*at, n), lines, env, faults, path) for n, child in enumerate(node.value)]
    if node.tag == "tag:yaml.org,2002:str":
        missing = [name for name in _VARIABLE.findall(node.value) if name not in env]
        faults += [f"{path}:{lines[at]}: {_dotted(at)}: the variable {name} is not set" for name in missing]
        return _VARIABLE.sub(lambda match: env.get(match[1], ""), node.value)
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError):
        faults.append(f"{path}:{lines[at]}: {_dotted(at)}: is no plain value; put quotes around it")
        return None
    finally:
        loader.dispose()


def _from_variables(env: Mapping[str, str]) -> tuple[Site, dict[str, str]]:
    """Make one tenant, named `default`, from variables; no variable at all is a site without tenants."""
    if not any(env.get(name) for name in SERVICETITAN_VARIABLES):
        return Site(), {}
    tenant: dict[str, Any] = {"name": "default", "servicetitan": {}}
    names: dict[Path_, str] = {}
    for name, at in {**SERVICETITAN_VARIABLES, **TARGET_VARIABLES}.items():
        if value := env.get(name):
            place = tenant
            for step in at[:-1]:
                place = place.setdefault(step, {})
            place[at[-1]] = value
            names["tenants", 0, *at] = name
    if (env.get("SALESFORCE_SANDBOX") or "").lower() == "true" and "salesforce" in tenant:
        tenant["salesforce"].setdefault("login_url", "https://test.salesforce.com")
    of = {("tenants", 0, *at): name for name, at in {**SERVICETITAN_VARIABLES, **TARGET_VARIABLES}.items()}
    site = _validated({"tenants": [tenant]}, lambda at: of.get(at, "SERVICETITAN_… and SALESFORCE_… variables"))
    return site, {_dotted(at): name for at, name in names.items()}


def _validated(data: Any, place: Callable[[Path_], str]) -> Site:
    """Check the data against the models, or raise ConfigError with the place of each fault; no value is quoted."""
    try:
        site = Site.model_validate(data)
    except ValidationError as error:
        faults = [f"{place(tuple(fault['loc']))}: {expected(fault)}" for fault in error.errors(include_url=False)]
        raise ConfigError(faults) from None
    if faults := [f"{place(at)}: {fault}" for at, fault in _unknown_columns(site)]:
        raise ConfigError(faults)
    return site


def _unknown_columns(site: Site) -> Iterator[tuple[Path_, str]]:
    """Find the rows of field maps that are made of a column that the object's rows do not have."""
    for n, tenant in enumerate(site.tenants):
        for system in SYSTEMS:
            section = system.section(tenant)
            for part, fields in (section.fields if section else {}).items():
                [source] = [target.source for target in system.objects if target.asset == f"{system.name}/{part}"]
                known = SOURCES[source].columns
                for m, field in enumerate(fields):
                    for column in field.columns:
                        if column not in known:
                            at = ("tenants", n, system.name, "fields", part, m, "source")
                            yield at, f"{column!r} is no column; expected one of {', '.join(known)}"


def expected(fault: Any) -> str:
    """Say what one of pydantic's errors expected, quoting no value."""
    kind, message = fault["type"], str(fault["msg"]).removeprefix("Value error, ")
    if kind in ("missing", "missing_argument"):
        return "is missing; a value is expected here"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return "is not known here; look for a typing error"
    return message if message.startswith("expected") else f"{message[0].lower()}{message[1:]}"


def _line(at: Path_, lines: Mapping[Path_, int]) -> int:
    return next(lines[at[:n]] for n in range(len(at), -1, -1) if at[:n] in lines)


def _dotted(at: Path_) -> str:
    return ".".join(str(step) for step in at) or "(the whole file)"
