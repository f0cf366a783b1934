"""Read the shape of a SELECT from its text.

The engine has accepted every statement before it comes here, so only its shape is read, never its legality.
"""

from mcp_daan.d1.masking.select import (
    Core,
    Cte,
    Expression,
    Joined,
    Nested,
    Part,
    Result,
    Select,
    Source,
    Table,
    Unreadable,
)
from mcp_daan.d1.masking.words import RESERVED, Token, tokens

_JOINING = frozenset("NATURAL LEFT RIGHT FULL OUTER INNER CROSS JOIN".split())
_NESTING = frozenset("SELECT WITH VALUES".split())
_ENDS = frozenset(") , ; FROM WHERE GROUP HAVING ORDER LIMIT UNION EXCEPT INTERSECT ON USING JOIN AS".split())
# Keywords that can be names elsewhere, but between two operands join them.
_OPERATORS = frozenset("LIKE GLOB REGEXP MATCH OVER".split())
# Reserved words that end an operand, so that a name behind them is an alias.
_CLOSING = frozenset("NULL ISNULL NOTNULL".split())
_FRAMING = frozenset("PARTITION ORDER RANGE ROWS GROUPS".split())
# Nobody writes more; what is deeper is refused rather than read at any cost.
_DEEPEST = 40


def read_statement(sql: str) -> Select:
    """The shape of one SELECT statement; Unreadable for anything else."""
    reader = Reader(sql)
    select = reader.select()
    while reader.take(";"):
        pass
    reader.need("end")
    return select


def read_view(sql: str) -> Select:
    """The shape of the SELECT behind CREATE VIEW."""
    return _in_view(sql).select()


def body_of_view(sql: str) -> int:
    """Where the SELECT starts in a CREATE VIEW."""
    return _in_view(sql).peek().start


def _in_view(sql: str) -> "Reader":
    reader, depth = Reader(sql), 0
    while depth or reader.word() != "AS":
        depth += {"(": 1, ")": -1}.get(reader.next().word, 0)
    reader.next()
    return reader


class Reader:
    """Reads a list of tokens from left to right."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokens(sql)
        self.at = 0
        self.depth = 0

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def word(self, ahead: int = 0) -> str:
        return self.peek(ahead).word

    def next(self) -> Token:
        token = self.peek()
        if token.kind == "end":
            raise Unreadable
        self.at += 1
        return token

    def take(self, *words: str) -> bool:
        """Step over *words* if they stand here in this order."""
        if any(self.word(ahead) != word for ahead, word in enumerate(words)):
            return False
        self.at += len(words)
        return True

    def need(self, word: str) -> None:
        if word == "end":
            if self.peek().kind != "end":
                raise Unreadable
        elif not self.take(word):
            raise Unreadable

    def name(self) -> str:
        token = self.next()
        if not token.names:
            raise Unreadable
        return token.name

    def names(self) -> list[str]:
        self.need("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.need(")")
        return found

    # SELECT

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Unreadable

    def select(self) -> Select:
        self.deeper()
        ctes = self.ctes() if self.take("WITH") else []
        cores, operators = [self.core()], []
        while self.word() in ("UNION", "EXCEPT", "INTERSECT"):
            operator = self.next().word
            operators.append("UNION ALL" if operator == "UNION" and self.take("ALL") else operator)
            cores.append(self.core())
        order = self.expressions() if self.take("ORDER", "BY") else []
        limit = self.expression(whole=True) if self.take("LIMIT") else None
        self.depth -= 1
        return Select(ctes, cores, operators, order, limit)

    def ctes(self) -> list[Cte]:
        self.take("RECURSIVE")
        found = []
        while True:
            name = self.name()
            columns = self.names() if self.word() == "(" else None
            self.need("AS")
            if self.take("NOT"):
                self.need("MATERIALIZED")
            else:
                self.take("MATERIALIZED")
            self.need("(")
            found.append(Cte(name, columns, self.select()))
            self.need(")")
            if not self.take(","):
                return found

    def core(self) -> Core:
        if self.take("VALUES"):
            return Core(rows=self.rows())
        self.need("SELECT")
        core = Core(distinct=self.take("DISTINCT"))
        self.take("ALL")
        core.results = [self.result()]
        while self.take(","):
            core.results.append(self.result())
        if self.take("FROM"):
            core.sources = self.joined()
        if self.take("WHERE"):
            core.where = self.expression()
        if self.take("GROUP", "BY"):
            core.groups = self.expressions()
        if self.take("HAVING"):
            core.having = self.expression()
        if self.at_window():
            self.next()
            core.windows = self.windows()
        return core

    def rows(self) -> list[list[Expression]]:
        found = []
        while True:
            self.need("(")
            found.append(self.expressions())
            self.need(")")
            if not self.take(","):
                return found

    def at_window(self) -> bool:
        return self.word() == "WINDOW" and self.peek(1).names and self.word(2) == "AS"

    def windows(self) -> dict[str, Expression]:
        found = {}
        while True:
            name = self.name()
            self.need("AS")
            base = self.base_window()
            found[name] = self.expression()
            found[name].windows += base
            if not self.take(","):
                return found

    def result(self) -> Result:
        if self.take("*"):
            return Result(Expression(text="*"), star=True)
        if self.peek().names and self.word(1) == "." and self.word(2) == "*":
            of = self.name()
            self.at += 2
            return Result(Expression(text="*"), star=True, of=of)
        expression = self.expression(result=True)
        if self.take("AS"):
            return Result(expression, self.name())
        if self.peek().names and not self.at_window():
            return Result(expression, self.name())
        return Result(expression)

    # FROM

    def joined(self) -> Joined:
        parts = [self.part(natural=False)]
        while True:
            if self.take(","):
                parts.append(self.part(natural=False))
            elif self.word() in _JOINING:
                words = set()
                while "JOIN" not in words:
                    words.add(self.next().word)
                parts.append(self.part(natural="NATURAL" in words))
            else:
                return Joined(parts)

    def part(self, natural: bool) -> Part:
        part = Part(self.source(), natural)
        if self.take("ON"):
            part.on = self.expression()
        elif self.take("USING"):
            part.using = self.names()
        return part

    def source(self) -> Source:
        if self.take("("):
            self.deeper()
            inner: Nested | Joined = Nested(self.select()) if self.word() in _NESTING else self.joined()
            self.need(")")
            self.depth -= 1
            inner.alias = self.alias()
            return inner
        table = self.table()
        table.alias = self.alias()
        table.end = self.peek(-1).end
        if self.take("NOT"):
            self.need("INDEXED")
            table.indexed = ""
        elif self.take("INDEXED", "BY"):
            table.indexed = self.name()
        return table

    def table(self) -> Table:
        start = self.peek().start
        schema, name = None, self.name()
        if self.take("."):
            schema, name = name, self.name()
        arguments = None
        if self.take("("):
            arguments = [] if self.word() == ")" else self.expressions()
            self.need(")")
        return Table(schema, name, None, arguments, None, start, self.peek(-1).end)

    def alias(self) -> str | None:
        if self.take("AS"):
            return self.name()
        token = self.peek()
        if not token.names or token.word in _JOINING or token.word == "INDEXED" or self.at_window():
            return None
        return self.name()

    # Expressions

    def expressions(self) -> list[Expression]:
        found = [self.expression()]
        while self.take(","):
            found.append(self.expression())
        return found

    def expression(self, *, result: bool = False, whole: bool = False) -> Expression:
        """The expression that starts here, before its alias if it is a *result*, beyond commas if the *whole* clause."""
        expression, start, depth, cases = Expression(), self.at, 0, 0
        while depth or not self.at_end(start, whole):
            if result and not depth and not cases and self.at_alias(start):
                break
            word = self.word()
            if word == "(" and self.word(1) in _NESTING:
                expression.selects.append(self.nested())
            elif word == "AS":
                self.skip_type()
            elif word in ("(", ")"):
                depth += 1 if word == "(" else -1
                self.next()
            else:
                cases += {"CASE": 1, "END": -1 if cases else 0}.get(word, 0)
                self.item(expression)
        if self.at == start:
            raise Unreadable
        expression.text = self.sql[self.tokens[start].start : self.peek(-1).end]
        expression.plain = len(expression.names) == 1 and self.is_plain(start)
        return expression

    def at_end(self, start: int, whole: bool) -> bool:
        word, before = self.word(), self.peek(-1) if self.at > start else None
        if word in _JOINING and word != "JOIN":
            return before is not None and _closes(before)
        if word == "WINDOW":
            return self.at_window()
        if word == "FROM" and before is not None and before.word == "DISTINCT":
            return False  # IS DISTINCT FROM
        return (word in _ENDS and not (whole and word == ",")) or self.peek().kind == "end"

    def at_alias(self, start: int) -> bool:
        token, before, after = self.peek(), self.peek(-1), self.peek(1)
        if self.at == start or not token.names or not _closes(before) or token.word in _OPERATORS:
            return False
        if token.word == "FILTER" and before.word == ")":
            return after.word != "("
        return not (token.word == "OVER" and before.word == ")" and (after.word == "(" or after.names))

    def item(self, expression: Expression) -> None:
        """Take one token, or the few that belong together, into *expression*."""
        token, after = self.next(), self.peek()
        if token.word == "EXISTS" and after.word == "(" and self.word(1) in _NESTING:
            expression.exists.append(self.nested())
        elif token.word == "IN" and after.names:
            expression.tables.append(self.table())
        elif token.word == "COLLATE":
            self.next()
        elif token.word == "OVER" and self.peek(-2).word == ")" and (after.word == "(" or after.names):
            expression.windows += [self.name()] if after.names else self.base_window()
        elif token.kind == "number":
            expression.numbers.append(self.sql[token.start : token.end])
        elif token.names and (token.kind != "string" or after.word == ".") and after.word != "(":
            expression.names.append(self.dotted(token, expression))

    def dotted(self, first: Token, expression: Expression) -> tuple[str, ...]:
        parts, last = [first.name], first
        while self.take("."):
            last = self.next()
            parts.append(last.name)
        if last.kind == "quoted":
            expression.quoted.add(last.name)
        return tuple(parts)

    def base_window(self) -> list[str]:
        """The window that a definition in parentheses builds on, if it names one."""
        token = self.peek(1)
        return [token.name] if token.names and token.word not in _FRAMING else []

    def nested(self) -> Select:
        self.need("(")
        select = self.select()
        self.need(")")
        return select

    def skip_type(self) -> None:
        """Step over what stands behind AS in a CAST: a type is no column."""
        depth = 0
        while depth or self.word() != ")":
            depth += {"(": 1, ")": -1}.get(self.next().word, 0)

    def is_plain(self, start: int) -> bool:
        """Whether the expression from *start* is a column's name and nothing else, so that the column keeps its name."""
        words = [token for token in self.tokens[start : self.at] if token.word not in ("(", ")")]
        while len(words) > 2 and words[-2].word == "COLLATE":
            del words[-2:]
        return all(token.names if place % 2 == 0 else token.word == "." for place, token in enumerate(words)) and (
            len(words) % 2 == 1 and (len(words) > 1 or words[0].kind != "string")
        )


def _closes(token: Token) -> bool:
    """Whether *token* can end an operand, so that a name behind it is no longer part of the expression."""
    if token.kind == "word":
        return token.word in _CLOSING or (token.word not in RESERVED and token.word not in _OPERATORS)
    return token.kind in ("string", "quoted", "number", "blob", "parameter") or token.word == ")"
