"""Validation rules and duplicate rules, which an administrator of an org makes and a sync has to live with."""

from dataclasses import dataclass, field
from typing import Any

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.tables import Row, Table


@dataclass(frozen=True)
class ValidationRule:
    """Refuses a row of the object whose fields have just these values."""

    object: str
    when: dict[str, Any]
    message: str
    field: str | None = None

    def judge(self, row: Row) -> None:
        """Refuse the row as it would stand after the save, if the rule means it."""
        if all(row.get(name) == value for name, value in self.when.items()):
            fields = [self.field] if self.field else []
            raise Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", self.message, fields)


@dataclass(frozen=True)
class DuplicateRule:
    """Refuses a row that shares this field's value with another, unless the caller insists."""

    object: str
    field: str

    def judge(self, row: Row, table: Table) -> None:
        """Refuse the row if another one, not deleted, has the same value in the rule's field."""
        value = row.get(self.field)
        if value is None:
            return
        kind = table.kind.fields[self.field]
        rows = table.find(self.field, value) if kind.is_indexed else table.living()
        twins = [
            other["Id"]
            for other in rows
            if other["Id"] != row["Id"] and str(other.get(self.field)).lower() == str(value).lower()
        ]
        if twins:
            raise Refusal("DUPLICATES_DETECTED", "Use one of these records?", duplicateResult=self._result(twins))

    def _result(self, twins: list[str]) -> dict[str, Any]:
        matches = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": self.object}, "Id": record_id},
            }
            for record_id in twins
        ]
        name = f"Standard_{self.object}_Duplicate_Rule"
        match = {
            "entityType": self.object,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "matchRecords": matches,
            "rule": f"Standard_{self.object}_Match_Rule",
            "size": len(matches),
            "success": True,
        }
        return {
            "allowSave": True,
            "duplicateRule": name,
            "duplicateRuleEntityType": self.object,
            "errorMessage": "Use one of these records?",
            "matchResults": [match],
        }


@dataclass
class Rules:
    """The rules of the org in force."""

    validation: list[ValidationRule] = field(default_factory=list)
    duplicates: list[DuplicateRule] = field(default_factory=list)

    def judge(self, row: Row, given: Row, table: Table, *, allow_duplicates: bool) -> None:
        """Refuse a row that a rule of its object forbids; duplicates are looked for where the field was given."""
        for rule in self.validation:
            if rule.object == table.kind.name:
                rule.judge(row)
        if allow_duplicates:
            return
        for duplicate_rule in self.duplicates:
            if duplicate_rule.object == table.kind.name and duplicate_rule.field in given:
                duplicate_rule.judge(row, table)
