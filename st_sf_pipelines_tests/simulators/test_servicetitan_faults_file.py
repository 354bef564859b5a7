"""Every fault that a file can tell strikes the process that is started with the file, once, and then no more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from st_sf_pipelines.simulators.servicetitan.entities import BY_NAME
from st_sf_pipelines.simulators.servicetitan.faults import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = str(Path(sys.executable).with_name("st-sf"))
NEW_NAME = "Quietly Renamed"


class Patient:
    """A client of the process: it asks a feed or list, and tells what came of it."""

    def __init__(self, line: dict[str, Any]) -> None:
        form = {"grant_type": "client_credentials", **{name: line[name] for name in ("client_id", "client_secret")}}
        self.form, self.tenant = form, line["tenant_id"]
        self.http = httpx.Client(base_url=line["api_url"], headers={"ST-App-Key": line["app_key"]})
        self.login()

    def login(self) -> None:
        """Fetch a token, and send it from now on."""
        token = self.http.post("/connect/token", data=self.form).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def ask(self, entity: str, kind: str = "feed", timeout: float = 30, **query: Any) -> httpx.Response:
        """Call a feed or a list."""
        row = BY_NAME[entity]
        rest = row.feed if kind == "feed" else row.listed
        query = {"from" if name == "from_" else name: value for name, value in query.items()}
        return self.http.get(f"/{row.module}/v2/tenant/{self.tenant}/{rest}", params=query, timeout=timeout)

    def page(self, entity: str, kind: str = "feed", **query: Any) -> dict[str, Any]:
        """Call a feed or a list that answers."""
        answer = self.ask(entity, kind, **query)
        assert answer.status_code == 200
        return dict(answer.json())


def status(patient: Patient) -> bool:
    """A status, with its body and header."""
    answer = patient.ask("customers")
    told = (answer.status_code, answer.headers.get("Retry-After"), answer.content)
    return told == (503, "7", b'{"title":"busy"}')


def silence(patient: Patient) -> bool:
    """No answer in time."""
    try:
        patient.ask("locations", timeout=0.3)
    except httpx.TimeoutException:
        return True
    return False


def reset(patient: Patient) -> bool:
    """The connection ends amid the answer."""
    try:
        patient.ask("leads")
    except httpx.TransportError:
        return True
    return False


def truncate(patient: Patient) -> bool:
    """The body is cut, and said to be whole."""
    return len(patient.ask("bookings").content) == 30


def garbage(patient: Patient) -> bool:
    """The body is a web page."""
    return patient.ask("jobs").content.startswith(b"<html>")


def repeat_page(patient: Patient) -> bool:
    """A page comes again, and says that more waits."""
    first = patient.page("job_canceled_logs", from_="2000-01-01")
    return bool(first["hasMore"] and first["continueFrom"] == "2000-01-01")


def out_of_order(patient: Patient) -> bool:
    """A page comes in another order."""
    stamps = [record["modifiedOn"] for record in patient.page("appointments")["data"]]
    return stamps != sorted(stamps)


def missing_id(patient: Patient) -> bool:
    """A record has no id."""
    return any("id" not in record for record in patient.page("appointment_assignments")["data"])


def wrong_type(patient: Patient) -> bool:
    """A field has a wrong type."""
    return bool(patient.page("estimates")["data"][0]["subtotal"] == "a lot")


def null_token(patient: Patient) -> bool:
    """A page has no token."""
    return patient.page("invoices")["continueFrom"] is None


def late_record(patient: Patient) -> bool:
    """A record is held back, and comes with the next page."""
    first = patient.page("payments")
    second = patient.page("payments", from_=first["continueFrom"])
    late, on_time = second["data"][0]["modifiedOn"], first["data"][0]["modifiedOn"]
    return len(first["data"]) == 19 and bool(late <= on_time)


def silent_change(patient: Patient) -> bool:
    """A record changes, and its stamp stays."""
    unit = 1_000_013
    _, renamed = patient.page("business_units"), patient.page("business_units", "list", ids=unit)["data"][0]
    return bool(renamed["name"] == NEW_NAME and renamed["modifiedOn"] < "2026")


def expire_token(patient: Patient) -> bool:
    """The access token ends."""
    refused = patient.ask("technicians").status_code == 401
    patient.login()
    return refused


def refuse_token(patient: Patient) -> bool:
    """The feed's token is no longer accepted."""
    answer = patient.ask("employees", from_="2000-01-01")
    return answer.status_code == 400 and list(answer.json()["errors"]) == ["from"]


# fmt: off
CASES: tuple[tuple[Callable[[Patient], bool], dict[str, Any], str], ...] = (
    (status,        {"status": 503, "headers": {"Retry-After": "7"}, "body": {"title": "busy"}}, "customers"),
    (silence,       {"silence": 5},                        "locations"),
    (reset,         {"reset": True},                       "leads"),
    (truncate,      {"truncate": 30},                      "bookings"),
    (garbage,       {"garbage": True},                     "jobs"),
    (repeat_page,   {"repeat_page": True},                 "job_canceled_logs"),
    (out_of_order,  {"out_of_order": True},                "appointments"),
    (missing_id,    {"missing_id": True},                  "appointment_assignments"),
    (wrong_type,    {"wrong_type": {"subtotal": "a lot"}}, "estimates"),
    (null_token,    {"null_token": True},                  "invoices"),
    (late_record,   {"late_record": 1},                    "payments"),
    (silent_change, {"silent_change": {"id": 1_000_013, "name": NEW_NAME}}, "business_units"),
    (expire_token,  {"expire_token": True},                "technicians"),
    (refuse_token,  {"refuse_token": True},                "employees"),
)
# fmt: on


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """Start the program with a file that has a rule for each fault, each on an entity of its own."""
    faults = tmp_path_factory.mktemp("faults") / "faults.json"
    rules = [{"match": {"entity": entity, "nth": 1}, "do": deed} for _, deed, entity in CASES]
    faults.write_text(json.dumps({"rules": rules}))
    command = [PROGRAM, "simulate", "servicetitan", "--customers", "60", "--page-size", "20", "--faults", str(faults)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        patient = Patient(json.loads(process.stdout.readline()))
        yield patient
        patient.http.close()
        process.terminate()


@pytest.mark.parametrize(("happens", "deed", "entity"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_fault_of_a_file_strikes_once(
    patient: Patient, happens: Callable[[Patient], bool], deed: dict[str, Any], entity: str
) -> None:
    assert deed.keys() <= Rule.DEEDS
    assert happens(patient)
    # A silent change lasts, for it is no fault of an answer.
    assert "silent_change" in deed or not happens(patient)
    assert patient.ask(entity).status_code == 200


def test_every_fault_that_a_file_may_tell_is_tried_here() -> None:
    assert {word for _, deed, _ in CASES for word in deed} == Rule.DEEDS
