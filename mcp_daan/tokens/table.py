"""The connections table, opened and reduced to what verdicts need: columns of plain facts, and no token."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

from mcp_daan.errors import InvalidArguments
from mcp_daan.tokens.bindings import Bindings
from mcp_daan.tokens.columns import ROLES, Columns, snake
from mcp_daan.tokens.faults import DEAD_STATUS, FINE_STATUS, IDLE_STATUS, Fault, fault
from mcp_daan.tokens.keys import KeyRing
from mcp_daan.tokens.moments import Moment, agreed, duration, moment
from mcp_daan.tokens.opening import Opener, Tally, repeated
from mcp_daan.tokens.stored import State, is_nothing

# What opens to one of these is no token.
EMPTY = frozenset({b"", b"undefined", b"null", b"None", b"NaN", b"[object Object]", b"{}", b'""'})
NO_ERROR = frozenset({"", "0", "null", "none", "undefined", "ok", "success", "false"})
PLACEHOLDERS = ("table", "column", "token", "id", "provider", "user")
SWITCHED_OFF = frozenset({0, "0", "false", "no", b"0"})
MOST_REMEMBERED = 5000
Values = Sequence[Any]


class Table:
    """What is known of each connection, one list a fact, all in the order of the rows.

    What few rows have stands in dictionaries by the row's index.
    """

    def __init__(self, columns: Columns, ring: KeyRing, *, declared: str | None = None, aad: str | None = None) -> None:
        self.columns = columns
        self.tally = Tally()
        self._openers = {role: Opener(ring, self.tally, declared=declared) for role in ("access", "refresh")}
        self._aad = _aad_parts(aad)
        self._kinds = _Kinds(_status_kind)
        # Rows of one batch mostly have the same moments.
        self._moments = _Kinds(moment)
        self._is_exact = _Kinds(lambda provider: provider is None or "exact" in str(provider).lower())
        self.id: list[Any] = []
        self.provider: list[str | None] = []
        self.exact: list[bool] = []
        self.active: list[bool] = []
        # What the application itself says: dead, idle, fine, or something else.
        self.status: list[str] = []
        self.access: list[State] = []
        self.refresh: list[State] = []
        self.success: list[float | None] = []
        self.success_from: list[str] = []
        self.success_unit: list[str | None] = []
        self.expires: list[float | None] = []
        self.expires_unit: list[str | None] = []
        self.used: list[float | None] = []
        self.refresh_expires: list[float | None] = []
        self.fault: dict[int, Fault] = {}
        self.error_at: dict[int, float] = {}
        self.failures: dict[int, int] = {}
        self.dead_status: set[int] = set()
        self.left_plain: set[int] = set()
        self.sealed_twice: set[int] = set()
        # Rows with a token that has not the form of Exact Online's, and those with one that is sealed for another row.
        self.odd: set[int] = set()
        self.moved: set[int] = set()
        self._bindings = {role: Bindings() for role in ("access_token", "refresh_token", "tokens")}
        self.mistakes: dict[int, str] = {}
        # Rows whose access token does not end 600 s after the last refresh.
        self.uneven: list[int] = []
        self._tokens: list[int] = []
        self._users: list[object] = []

    def __len__(self) -> int:
        return len(self.id)

    def add(self, rows: Sequence[Values]) -> None:
        """Take in *rows*, each with one value a role in the order of `columns.roles`; at least one row."""
        start = len(self.id)
        roles: dict[str, Values] = dict.fromkeys(ROLES, [None] * len(rows))
        roles |= zip(self.columns.roles, zip(*rows, strict=True), strict=True)
        self.id += roles["id"]
        providers = self._texts(roles, "provider")
        self.provider += providers
        self.exact += map(self._is_exact.__getitem__, providers)
        self._add_status(start, roles)
        self._add_tokens(start, roles)
        self._add_times(start, roles)
        if any(role in self.columns for role in ("last_error", "error_code", "error_detail", "error_status")):
            self._add_errors(start, roles)
        self._add_users(start, roles)

    def finish(self) -> None:
        """Decide what only the whole column tells; to be called once after the last row."""
        for role, states in (("access", self.access), ("refresh", self.refresh)):
            if "foreign" in states:
                meaning = self._openers[role].foreign()
                states[:] = [meaning if state == "foreign" else state for state in states]
        for role, bindings in self._bindings.items():
            opener = self._openers["access" if role == "access_token" else "refresh"]
            self.moved |= bindings.moved(opener.peek)

    def opened(self, role: str) -> int:
        """How many values of the column a key opened."""
        return self._openers[role].opened

    def formats(self, role: str) -> set[str]:
        """The formats in which the column's values are sealed."""
        names = self._openers[role].formats
        # The first values of a column in the URL alphabet may fit the standard one too.
        rare = {name for name in names if self.tally.formats[name] <= 2}
        chance = {name for name in rare if re.sub("b64(?!url)", "b64url", name) in names - {name}}
        return names - chance

    def same_token(self) -> set[int]:
        """The active rows whose refresh token another active row holds too."""
        return self._same(self._tokens)

    def same_user(self) -> set[int]:
        """The active rows whose user at the provider another active row has too."""
        return self._same(self._users)

    def users(self) -> frozenset[object]:
        """The users at the provider whose connections are active, each with provider and application."""
        return frozenset(mark for mark in self._users if mark is not None)

    def _same(self, marks: Sequence[object]) -> set[int]:
        often = repeated([mark for mark in marks if mark])
        return {index for index, mark in enumerate(marks) if mark in often} if often else set()

    def _texts(self, roles: dict[str, Values], role: str) -> list[str | None]:
        values = roles[role]
        if role not in self.columns:
            return list(values)
        return [value if value is None or isinstance(value, str) else _text(value) for value in values]

    def _add_status(self, start: int, roles: dict[str, Values]) -> None:
        kinds = list(map(self._kinds.__getitem__, self._texts(roles, "status")))
        active = [kind != "idle" for kind in kinds]
        if "enabled" in self.columns:
            active = [a and e not in SWITCHED_OFF for a, e in zip(active, roles["enabled"], strict=True)]
        if "ended_at" in self.columns:
            active = [a and e is None for a, e in zip(active, roles["ended_at"], strict=True)]
        self.active += active
        self.status += kinds
        if "dead" in kinds:
            self.dead_status |= {start + index for index, kind in enumerate(kinds) if kind == "dead"}

    # --- tokens ---

    def _add_tokens(self, start: int, roles: dict[str, Values]) -> None:
        if "tokens" in self.columns:
            read = [_together(*each) for each in zip(*self._open("refresh", "tokens", start, roles), strict=True)]
            access, refresh, plains = [each[0] for each in read], [each[1] for each in read], [each[2] for each in read]
        else:
            access, _ = self._open("access", "access_token", start, roles)
            refresh, plains = self._open("refresh", "refresh_token", start, roles)
        self.access += access
        self.refresh += refresh
        # A keyed number in place of the token: Python keys it anew for each process.
        marks = [hash(plain) if plain else 0 for plain in plains]
        active = self.active[start:]
        if not all(active):
            marks = [mark if on else 0 for mark, on in zip(marks, active, strict=True)]
        self._tokens += marks
        for role in ("access_token_left", "refresh_token_left"):
            if role in self.columns:
                self.left_plain |= {start + index for index, value in enumerate(roles[role]) if not is_nothing(value)}

    def _open(self, opener: str, role: str, start: int, roles: dict[str, Values]) -> tuple[list[State], list[bytes]]:
        stored = roles[role]
        if role not in self.columns:
            state: State = "opened" if role in self.columns.none else "absent"
            return [state] * len(stored), [b""] * len(stored)
        chosen = self._openers[opener]
        bound = [] if self._aad is None else list(self._bound(role, roles))
        aads: Iterable[bytes | None] = repeat(None) if self._aad is None else bound
        if f"{role}_iv" in self.columns:
            split = zip(stored, aads, roles[f"{role}_iv"], roles[f"{role}_tag"], strict=False)
            pairs = [chosen.open(*parts) for parts in split]
            states, plains = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        else:
            states, plains = chosen.open_all(stored, aads)
        if self._aad is not None:
            self._bindings[role].note(start, bound, states, stored)
        for index, plain in enumerate(plains):
            if plain.startswith(b"stamp") or states[index] != "opened":
                continue
            if plain in EMPTY:
                states[index], plains[index] = "empty", b""
            elif (inner := chosen.inner(plain, *bound[index : index + 1])) is not None:
                self.sealed_twice.add(start + index)
                plains[index] = inner
            elif role != "tokens":
                self.odd.add(start + index)
        return states, plains

    def _bound(self, role: str, roles: dict[str, Values]) -> Iterable[bytes]:
        """The additional data that `[tokens] aad` binds each row's value to."""
        parts = self._aad or []
        fixed = {"table": self.columns.table, "column": self.columns.name(role), "token": role}
        for identity, provider, user in zip(roles["id"], roles["provider"], roles["user"], strict=True):
            known = {**fixed, "id": _text(identity), "provider": _text(provider), "user": _text(user)}
            yield "".join(part if index % 2 == 0 else known[part] or "" for index, part in enumerate(parts)).encode()

    # --- times and errors ---

    def _add_times(self, start: int, roles: dict[str, Values]) -> None:
        has = self.columns.__contains__
        begun: list[Moment | None] = [None] * len(roles["id"])
        if has("refreshed_at"):
            begun = list(map(self._moments.__getitem__, roles["refreshed_at"]))
        source = ["refreshed_at"] * len(begun)
        if None in begun:
            others = ("updated_at", "created_at") if has("refreshed_at") else ("updated_at",)
            for index, value in enumerate(begun):
                if value is None and roles["refreshed_at"][index] in (None, ""):
                    # Never refreshed since the customer connected it, which is when its tokens were given out.
                    for other in others:
                        found = moment(roles[other][index])
                        if found is not None:
                            begun[index], source[index] = found, other
                            break
        ended: list[Moment | None] = list(map(self._moments.__getitem__, roles["expires_at"]))
        starts = [None if each is None else each[0] for each in begun]
        ends = [None if each is None else each[0] for each in ended]
        # Mostly all rows agree with Exact Online's 600 s; the others are looked at one by one.
        said = zip(begun, ended, source, roles["expires_at"], roles["expires_in"], strict=True)
        for index, (first, last, origin, stored, lasting) in enumerate(said):
            if first is None or origin != "refreshed_at" or (last is not None and -60 < last[0] - first[0] - 600 < 60):
                continue
            if stored is not None or lasting is not None:
                self.uneven.append(start + index)
                starts[index], ends[index], mistake = agreed(first, last, stored, duration(lasting))
                if mistake is not None:
                    self.mistakes[start + index] = mistake
        self.success += starts
        self.success_from += source
        self.success_unit += [
            None if each is None or origin != "refreshed_at" else each[1]
            for each, origin in zip(begun, source, strict=True)
        ]
        self.expires += ends
        self.expires_unit += [None if each is None else each[1] for each in ended]
        self.used += map(_at, roles["last_used_at"]) if has("last_used_at") else roles["last_used_at"]
        later = roles["refresh_expires_at"]
        self.refresh_expires += map(_at, later) if has("refresh_expires_at") else later

    def _add_errors(self, start: int, roles: dict[str, Values]) -> None:
        texts = (roles[role] for role in ("error_status", "error_code", "last_error", "error_detail"))
        for index, parts in enumerate(zip(*texts, strict=True), start):
            if not any(parts):
                continue
            said = " ".join(text for text in map(_text, parts) if text and text.lower() not in NO_ERROR)
            # A stored status of 200 tells that the last answer was no error.
            if said and not re.fullmatch(r"[123]\d\d", said):
                self.fault[index] = fault(said, self.exact[index])
                when = moment(roles["error_at"][index - start])
                if when is not None:
                    self.error_at[index] = when[0]
        if "failures" in self.columns:
            self.failures |= {
                index: count
                for index, count in enumerate(roles["failures"], start)
                if isinstance(count, int) and count > 0
            }

    def _add_users(self, start: int, roles: dict[str, Values]) -> None:
        if "external_user" not in self.columns:
            self._users += [None] * len(roles["id"])
            return
        marks: list[object] = list(zip(self.provider[start:], roles["external_user"], roles["client"], strict=True))
        held = zip(roles["external_user"], self.active[start:], self.refresh[start:], strict=True)
        self._users += [
            mark if user not in (None, "") and on and state not in ("missing", "empty") else None
            for mark, (user, on, state) in zip(marks, held, strict=True)
        ]


class _Kinds(dict[Any, Any]):
    """Remembers the meaning of the first thousands of values."""

    def __init__(self, meaning: Callable[[Any], Any]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, word: Any) -> Any:
        kind = self._meaning(word)
        if len(self) < MOST_REMEMBERED:
            self[word] = kind
        return kind


def _status_kind(word: str | None) -> str:
    plain = (word or "").strip().lower().replace("-", "_").replace(" ", "_")
    kinds = (("dead", DEAD_STATUS), ("idle", IDLE_STATUS), ("fine", FINE_STATUS))
    return next((kind for kind, words in kinds if plain in words), "other")


def _together(state: State, plain: bytes) -> tuple[State, State, bytes]:
    """Both tokens from one value, JSON in which they stand by name: access, refresh, and the refresh token."""
    if state != "opened":
        return state, state, plain
    try:
        members = json.loads(plain)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        return "opened", "absent", b""
    found = {snake(str(name)): value for name, value in members.items() if isinstance(value, str)}
    access = found.get("access_token") or found.get("access")
    refresh = found.get("refresh_token") or found.get("refresh") or ""
    return "opened" if access else "missing", "opened" if refresh else "missing", refresh.encode("utf-8", "replace")


def _aad_parts(template: str | None) -> list[str] | None:
    """The text and the placeholders of *template* in turn; InvalidArguments for a placeholder that is none."""
    if template is None:
        return None
    parts = re.split(r"\{(\w*)\}", template)
    for name in parts[1::2]:
        if name not in PLACEHOLDERS:
            raise InvalidArguments(
                f"daan.toml: `tokens.aad` has an unknown placeholder `{{{name}}}`.",
                advice=f"The placeholders are: {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}.",
            )
    return parts


def _at(value: object) -> float | None:
    read = None if value is None else moment(value)
    return None if read is None else read[0]


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or isinstance(value, str) else str(value)
