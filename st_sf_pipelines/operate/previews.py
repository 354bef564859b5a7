"""What a person may rehearse: an edited rule before it is adopted, and a rule on a past date; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import ValidationError

from st_sf_pipelines.config import Site, Tenant
from st_sf_pipelines.defs.instance import open_database
from st_sf_pipelines.defs.resources import moment, tenants_of
from st_sf_pipelines.errors import ConfigError
from st_sf_pipelines.settings import expected
from st_sf_pipelines.sync.preview import rehearse
from st_sf_pipelines.sync.previewed import PREVIEWED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from st_sf_pipelines.config import Model
    from st_sf_pipelines.settings import Settings
    from st_sf_pipelines.sync.preview import Moves

Owner = TypeVar("Owner", Site, Tenant)


def preview(settings: Settings, name: str | None, sets: Sequence[str], as_of: str) -> dict[str, Any]:
    """Tell who would move, and where to, if the site file, with `sets` over it, were adopted as of an instant.

    Raise ConfigError for a setting or a moment that is none. In each section, `moved` is an iterator over all movers.
    """
    settings = edited(settings, sets)
    at = moment(as_of) or datetime.now(UTC)
    tenants = tenants_of(settings, name)
    db, site = open_database(settings), settings.site
    says = "Before: the conclusions in force. After: what the rules conclude as of that moment. Nothing was written."
    return {
        "as_of": at,
        "set": list(sets),
        "says": says,
        "tenants": [{"name": each.name, **_sections(rehearse(db, each, site, at))} for each in tenants],
    }


def backtest(settings: Settings, name: str | None, sets: Sequence[str], as_of: str) -> dict[str, Any]:
    """Tell what the rules would have concluded on a past date, and who has moved since; raise ConfigError."""
    settings = edited(settings, sets)
    until, now = moment(as_of), datetime.now(UTC)
    if until is None or until > now:
        raise ConfigError([f"--as-of {as_of!r}: expected a moment in the past, such as 2026-01-31T12:00:00Z"])
    tenants = tenants_of(settings, name)
    db, site = open_database(settings), settings.site
    says = (
        "Before: today's records less those dated after that moment, with the statuses that they have now, not those "
        "of that day, though what was completed or sold after it was not yet. After: the records and rules of now. "
        "Nothing was written."
    )
    return {
        "as_of": until,
        "now": now,
        "set": list(sets),
        "says": says,
        "tenants": [{"name": each.name, **_sections(rehearse(db, each, site, now, until))} for each in tenants],
    }


def edited(settings: Settings, sets: Sequence[str]) -> Settings:
    """Lay values (`segments.vip_lifetime_value=15000`) over a site and over its tenants' own; raise ConfigError."""
    known = sorted({section for each in PREVIEWED for section in each.sections})
    edits: dict[str, dict[str, str]] = {}
    for text in sets:
        path, sign, value = text.partition("=")
        section, _, name = path.strip().partition(".")
        if not sign or section not in known or not all(name.split(".")):
            usual = "expected such as segments.vip_lifetime_value=15000"
            raise ConfigError([f"--set {text}: {usual}; sections that rules read: {', '.join(known)}"])
        edits.setdefault(section, {})[name] = value
    site = settings.site
    for section, values in edits.items():
        tenants = [each if getattr(each, section) is None else _with(each, section, values) for each in site.tenants]
        site = _with(site.model_copy(update={"tenants": tenants}), section, values)
    return replace(settings, site=site)


def _with(owner: Owner, section: str, values: dict[str, str]) -> Owner:
    """Give a copy of a site or tenant with some values of a section set, checked together as the site file's are."""
    before: Model = getattr(owner, section)
    data: dict[str, Any] = before.model_dump()
    named = ", ".join(f"--set {section}.{name}={value}" for name, value in values.items())
    try:
        for name, value in values.items():
            *path, last = name.split(".")
            place = data
            for step in path:
                place = place.setdefault(step, {})
            place[last] = yaml.safe_load(value)
        after = type(before).model_validate(data)
    except (yaml.YAMLError, AttributeError, TypeError):
        raise ConfigError([f"{named}: the value cannot be read, or the name leads nowhere"]) from None
    except ValidationError as error:
        raise ConfigError([f"{named}: {expected(fault)}" for fault in error.errors(include_url=False)]) from None
    return owner.model_copy(update={section: after})


def _sections(found: dict[str, Moves]) -> dict[str, Any]:
    return {
        name: {
            "before": {value: moves.before[value] for value in moves.previewed.values},
            "after": {value: moves.after[value] for value in moves.previewed.values},
            "new": moves.new,
            "moves": [
                {"from": source, "to": to, moves.previewed.subjects: moves.between[source, to]}
                for source in moves.previewed.values
                for to in moves.previewed.values
                if moves.between[source, to]
            ],
            "rules": moves.rules,
            "moved": moves.movers(),
            "subjects": moves.previewed.subjects,
        }
        for name, moves in found.items()
    }
