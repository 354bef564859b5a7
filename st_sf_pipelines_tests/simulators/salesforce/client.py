"""A thin client for these tests: it sends what it is told, and shows what came back."""

from dataclasses import dataclass
from typing import Any

import httpx

ROOT = "/services/data/v62.0"
ACCOUNTS = "/composite/sobjects/Account/ServiceTitan_Account_Id__c"
CONTACTS = "/composite/sobjects/Contact/ServiceTitan_Customer_Id__c"


@dataclass
class Api:
    """The REST API below its version."""

    client: httpx.Client

    def get(self, path: str, **params: str) -> httpx.Response:
        """Ask for a path."""
        return self.client.get(ROOT + path, params=params or None)

    def send(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        """Send JSON to a path."""
        return self.client.request(method, ROOT + path, json=json, headers=headers)

    def create(self, kind: str, **values: Any) -> str:
        """Make a record and return its id."""
        answer = self.send("POST", f"/sobjects/{kind}", values)
        assert answer.status_code == 201, answer.text
        record_id: str = answer.json()["id"]
        return record_id

    def upsert(self, path: str, *records: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
        """Upsert a collection that is well-formed, and return its results."""
        kind = path.split("/")[3]
        typed = [{"attributes": {"type": kind}, **record} for record in records]
        answer = self.send("PATCH", path, {"allOrNone": all_or_none, "records": typed})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()
        return results

    def query(self, soql: str) -> list[dict[str, Any]]:
        """Run a query that fits in a page."""
        answer = self.get("/query", q=soql)
        assert answer.status_code == 200, answer.text
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    def names(self, *rest: str) -> list[str]:
        """Return the names of the contacts that a query finds, of which this is the rest."""
        return [record["Name"] for record in self.query(" ".join(("SELECT Name FROM Contact", *rest)))]


def code(answer: httpx.Response) -> str:
    """Return the error code of a refused request."""
    errors: list[dict[str, Any]] = answer.json()
    assert set(errors[0]) >= {"message", "errorCode"}
    found: str = errors[0]["errorCode"]
    return found


def row_code(result: dict[str, Any]) -> str:
    """Return the code of a refused row."""
    assert result["success"] is False
    assert "id" not in result
    found: str = result["errors"][0]["statusCode"]
    return found


def account(number: int, **values: Any) -> dict[str, Any]:
    """Return an Account as the sync would send it."""
    return {"ServiceTitan_Account_Id__c": f"st_{number}", "Name": f"Customer {number}", **values}
