"""What an account is set up with: units, kinds of jobs, reasons, campaigns, people and tags."""

from __future__ import annotations

from typing import Any, ClassVar

from st_sf_pipelines.systems.servicetitan.records.record import Id, Named, Record, Text


class Setting(Record):
    """A setting that other records name by its id: what we use of it is its name."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("name", "created_on")
    name: Text = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return self.name, self.createdOn


class BusinessUnit(Setting):
    """A business unit: its name tells the pipeline of its jobs."""


class JobType(Setting):
    """A kind of job."""


class JobCancelReason(Setting):
    """Why jobs are canceled."""


class TagType(Setting):
    """A tag that customers and jobs may carry."""


class Campaign(Setting):
    """What brought a job or a lead in."""

    COLUMNS = ("name", "category", "source", "created_on")
    category: Named | None = None
    source: Text = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return self.name, self.category.name if self.category else None, self.source, self.createdOn


class Person(Setting):
    """Somebody who works for the company."""

    COLUMNS = ("name", "email", "user_id", "business_unit_id", "created_on")
    email: Text = None
    userId: Id | None = None
    businessUnitId: Id | None = None

    def columns(self) -> tuple[Any, ...]:
        """Give the columns."""
        return self.name, (self.email or "").strip() or None, self.userId, self.businessUnitId, self.createdOn


class Technician(Person):
    """One who does the work."""


class Employee(Person):
    """One who sells or dispatches it."""
