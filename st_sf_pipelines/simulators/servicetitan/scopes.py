"""What a token must allow for a call: the scope of each resource, to read or to write.

The names of customers, locations, leads, bookings, tags, jobs, assignments and invoices are published; the others
follow their pattern. A feed needs the same scope as its list.
"""

from __future__ import annotations

# fmt: off
RESOURCES = {
    "crm/customers":                    "crm.customers",
    "crm/locations":                    "crm.locations",
    "crm/leads":                        "crm.leads",
    "crm/bookings":                     "crm.bookings",
    "crm/booking-provider":             "crm.bookings",
    "crm/tags":                         "crm.tags",
    "jpm/jobs":                         "jpm.jobs",
    "jpm/job-canceled-logs":            "jpm.jobs",
    "jpm/job-cancel-reasons":           "jpm.jobs",
    "jpm/appointments":                 "jpm.appointments",
    "jpm/job-types":                    "jpm.jobtypes",
    "sales/estimates":                  "sal.estimates",
    "accounting/invoices":              "acc.invoices",
    "accounting/payments":              "acc.payments",
    "dispatch/appointment-assignments": "dis.appointmentassignments",
    "marketing/campaigns":              "mar.campaigns",
    "settings/business-units":          "stg.businessunits",
    "settings/technicians":             "stg.technicians",
    "settings/employees":               "stg.employees",
    "settings/tag-types":               "stg.tagtypes",
}
# fmt: on
SCOPES = tuple(sorted({f"tn.{resource}:{right}" for resource in RESOURCES.values() for right in "rw"}))


def needed(method: str, module: str, rest: str) -> str | None:
    """Give the scope that a call needs; a path that leads nowhere needs none."""
    resource = RESOURCES.get(f"{module}/{rest.removeprefix('export/').split('/')[0]}")
    return resource and f"tn.{resource}:{'r' if method == 'GET' else 'w'}"
