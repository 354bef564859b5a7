"""The words of a SOQL text, and the refusal that shows where in it one stumbled."""

import re
from typing import NamedTuple

from st_sf_pipelines.simulators.salesforce.refusals import Refusal

TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_]\w*(?:\.\w+)*)
    | (?P<operator><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word of the query: of which kind, its text, and where it starts."""

    kind: str
    text: str
    at: int


def scan(text: str) -> list[Token]:
    """Return the words of a query, and a last one that stands for its end."""
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise malformed(text, start, f"unexpected char: '{text[start]}'")
        tokens.append(Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        at = match.end()
    return [*tokens, Token("end", "", len(text))]


def malformed(text: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> Refusal:
    """Return a refusal that shows where in the query it stumbled, as Salesforce does."""
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    near = text[max(0, at - 30) : at + 30].replace("\n", " ")
    pointer = " " * min(at, 30) + "^"
    return Refusal(code, f"\n{near}\n{pointer}\nERROR at Row:{row}:Column:{column}\n{message}")
