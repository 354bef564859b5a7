"""The clean-up by hand: the same that runs every night, or only its counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from st_sf_pipelines.defs.cleaning import clean_up as clean
from st_sf_pipelines.defs.instance import open_database, open_instance

if TYPE_CHECKING:
    from st_sf_pipelines.settings import Settings


def clean_up(settings: Settings, *, dry_run: bool) -> dict[str, Any]:
    """Delete what is older than the site's retention, or count it; raise StoreError if a database is not there."""
    open_database(settings)
    with open_instance(settings) as instance:
        counts = clean(instance, settings, datetime.now(UTC), dry_run=dry_run)
    return {"dry_run": dry_run, "retention_days": settings.site.retention.model_dump(), "deleted": counts}
