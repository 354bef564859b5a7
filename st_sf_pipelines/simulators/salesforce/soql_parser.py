"""SOQL read into its tree; what cannot be read is MALFORMED_QUERY."""

import re

from st_sf_pipelines.simulators.salesforce.refusals import Refusal
from st_sf_pipelines.simulators.salesforce.soql_tokens import Token, malformed, scan
from st_sf_pipelines.simulators.salesforce.soql_tree import (
    AnyOf,
    Column,
    Compare,
    Condition,
    Every,
    Literal,
    Negation,
    Order,
    Select,
)

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")
MOST_CHARACTERS = 100_000


def parse(text: str) -> Select:
    """Read a query."""
    if len(text) > MOST_CHARACTERS:
        raise Refusal("MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
    return _Parser(text).select()


class _Parser:
    """Walks over the words of one query."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(scan(text))
        self._next = 0

    def select(self) -> Select:
        self._expect("SELECT")
        is_count = self._peek().text.upper() == "COUNT"
        columns = [] if is_count else self._columns()
        if is_count:
            self._advance()
            self._expect("(")
            self._expect(")")
        self._expect("FROM")
        query = Select(columns, self._word(), is_count)
        if self._accept("WHERE"):
            query.where = self._conditions()
        if self._accept("ORDER"):
            self._expect("BY")
            query.order = self._orders()
        if self._accept("LIMIT"):
            query.limit = self._count()
        if self._accept("OFFSET"):
            query.offset = self._count()
        if self._peek().kind != "end":
            raise self._unexpected()
        return query

    def _columns(self) -> list[Column]:
        columns = [self._column()]
        while self._accept(","):
            columns.append(self._column())
        return columns

    def _column(self) -> Column:
        token = self._word()
        if self._peek().text == "(":
            raise malformed(self._text, token.at, f"{token.text}() is not known to this stand-in")
        return Column(token.text, token.at)

    def _conditions(self) -> Condition:
        conditions = [self._condition()]
        joint = self._peek().text.upper()
        if joint not in ("AND", "OR"):
            return conditions[0]
        while self._accept(joint):
            conditions.append(self._condition())
        if self._peek().text.upper() in ("AND", "OR"):
            # AND and OR in one row without parentheses are an error in SOQL, not a matter of precedence.
            raise self._unexpected()
        return Every(conditions) if joint == "AND" else AnyOf(conditions)

    def _condition(self) -> Condition:
        if self._accept("NOT"):
            return Negation(self._condition())
        if self._accept("("):
            inner = self._conditions()
            self._expect(")")
            return inner
        column = self._column()
        if self._accept("LIKE"):
            return Compare(column, "LIKE", [self._literal()])
        if self._accept("IN"):
            return Compare(column, "IN", self._list())
        if self._accept("NOT"):
            self._expect("IN")
            return Compare(column, "NOT IN", self._list())
        operator = self._peek().text
        if operator not in COMPARISONS:
            raise self._unexpected()
        self._advance()
        return Compare(column, "!=" if operator == "<>" else operator, [self._literal()])

    def _list(self) -> list[Literal]:
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return values

    def _literal(self) -> Literal:
        token = self._peek()
        self._advance()
        word = token.text.lower()
        if token.kind == "string":
            return Literal("string", self._unescape(token))
        if token.kind == "number":
            return Literal("number", float(token.text))
        if token.kind in ("date", "datetime"):
            return Literal(token.kind, token.text)
        if word in ("true", "false"):
            return Literal("boolean", word == "true")
        if word == "null":
            return Literal("null", None)
        raise self._unexpected(token)

    def _unescape(self, token: Token) -> str:
        def plain(match: re.Match[str]) -> str:
            letter = match.group(1)
            if letter in "_%":
                return match.group(0)
            if letter.lower() not in ESCAPES:
                raise malformed(self._text, token.at, f"Illegal escape sequence: \\{letter}")
            return ESCAPES[letter.lower()]

        return re.sub(r"\\(.)", plain, token.text[1:-1], flags=re.DOTALL)

    def _orders(self) -> list[Order]:
        orders = [self._order()]
        while self._accept(","):
            orders.append(self._order())
        return orders

    def _order(self) -> Order:
        column = self._column()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        nulls_last = False
        if self._accept("NULLS"):
            nulls_last = self._accept("LAST")
            if not nulls_last:
                self._expect("FIRST")
        return Order(column, descending, nulls_last)

    def _count(self) -> int:
        token = self._peek()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected()
        self._advance()
        return int(token.text)

    def _word(self) -> Token:
        token = self._peek()
        if token.kind != "word":
            raise self._unexpected()
        self._advance()
        return token

    def _accept(self, word: str) -> bool:
        token = self._peek()
        if token.kind != "string" and token.text.upper() == word:
            self._advance()
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected()

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> None:
        if self._tokens[self._next].kind != "end":
            self._next += 1

    def _unexpected(self, token: Token | None = None) -> Refusal:
        token = token or self._peek()
        shown = f"'{token.text}'" if token.kind != "end" else "<EOF>"
        return malformed(self._text, token.at, f"unexpected token: {shown}")
