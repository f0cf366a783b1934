"""Open the sealed values of a table, and count what that teaches about formats, keys and nonces."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from itertools import repeat
from typing import Any, NoReturn, TypeVar

from mcp_daan.tokens.keys import Key, KeyRing
from mcp_daan.tokens.sealed import NONCES, STRICT, Sealed, columns_readings, readings, splitter
from mcp_daan.tokens.stored import State, is_nothing, unsealed

T = TypeVar("T")
Stored = str | bytes
# Sealing twice is a fault of the program, not of a row: if it is not among so many, it is nowhere.
LOOKED_INTO = 2000
COUNTED_AS: dict[State, str] = {"opaque": "plaintext", "other": "Fernet"}


class Tally:
    """What the values of a table have in common. It keeps nonces, and numbers that tell values apart: no value."""

    def __init__(self) -> None:
        self.formats: Counter[str] = Counter()
        self.opened: Counter[Key | None] = Counter()
        # Python keys its hashes anew in each process; 64 bits tell millions of values apart.
        self._nonces: dict[Key | None, list[bytes]] = defaultdict(list)
        self._values: dict[Key | None, list[int]] = defaultdict(list)
        self._unopened: list[int] = []

    def note(self, key: Key | None, name: str, nonces: Sequence[bytes], values: Sequence[int]) -> None:
        """Note values in the format *name* that *key* opened, by nonce and hash; None where there is no key."""
        self.formats[name] += len(nonces)
        self.opened[key] += len(nonces)
        self._nonces[key].extend(nonces)
        self._values[key].extend(values)

    def note_unopened(self, value: int) -> None:
        """Note a value that no key opens, so that its nonce is not known for sure."""
        self._unopened.append(value)

    @property
    def keys(self) -> dict[str, int]:
        """How many values the current and the previous key opened."""
        counts = {"current": 0, "previous": 0}
        for key, count in self.opened.items():
            if key is not None:
                counts[key.role] += count
        return counts

    @property
    def nonce_reuse(self) -> int:
        """How many distinct nonces sealed more than one value under one key; a copied value is no second use."""
        reused = 0
        for key, nonces in self._nonces.items():
            often = repeated(nonces)
            if often:
                values = defaultdict(set)
                for nonce, value in zip(nonces, self._values[key], strict=True):
                    if nonce in often:
                        values[nonce].add(value)
                reused += sum(len(each) > 1 for each in values.values())
        return reused

    @property
    def zero_nonces(self) -> int:
        """How many values were sealed with a nonce of zeros."""
        return sum(nonces.count(bytes(size)) for nonces in self._nonces.values() for size in NONCES)

    @property
    def duplicates(self) -> int:
        """How many distinct sealed values are stored more than once."""
        return len(repeated([value for values in (*self._values.values(), self._unopened) for value in values]))

    @property
    def copied(self) -> int:
        """How many values do not open where they stand, and open elsewhere: bound to another row."""
        if not self._unopened:
            return 0
        opened = {value for values in self._values.values() for value in values}
        return sum(value in opened for value in self._unopened)


def repeated(items: Collection[T]) -> set[T]:
    """What stands in *items* more than once."""
    # Mostly nothing does, and that is told much sooner.
    if len(set(items)) == len(items):
        return set()
    return {item for item, count in Counter(items).items() if count > 1}


def _nothing_settled(*_: object) -> NoReturn:
    raise ValueError


class Opener:
    """Opens the values of one column: what opened the last value is tried first on the next."""

    def __init__(self, ring: KeyRing, tally: Tally, *, declared: str | None = None) -> None:
        self._keys = ring.keys
        self._salted = any(key.salted for key in ring.keys)
        self._tally = tally
        self._declared = declared
        self._failing: tuple[type[Exception], ...] = (ValueError, TypeError, AttributeError, OverflowError)
        if ring:
            # Imported with the first key only: it takes 40 ms.
            from cryptography.exceptions import InvalidTag

            self._failing = (InvalidTag, *self._failing)
        # What opened the last value: the key and the format's name, the short ways to split and to decrypt.
        self._settled: tuple[Key, str] | None = None
        self._split: Callable[[Any], tuple[bytes, bytes]] = _nothing_settled
        self._columns: tuple[Key, str, Callable[[Any], bytes]] | None = None
        self._decrypt: Callable[..., bytes] = _nothing_settled
        self._url_alphabet = False
        self._foreign: Counter[str] = Counter()
        self.formats: set[str] = set()
        self.opened = 0
        self.looked_into = 0
        self.sealed_twice = 0

    def open_all(
        self, stored: Sequence[object], aads: Iterable[bytes | None] = repeat(None)
    ) -> tuple[list[State], list[bytes]]:
        """What each value is, and the plaintext of those that open; of others what tells them apart."""
        states: list[State] = ["opened"] * len(stored)
        plains: list[bytes] = []
        nonces: list[bytes] = []
        split, decrypt, failing = self._split, self._decrypt, self._failing
        done = 0
        for index, (value, aad) in enumerate(zip(stored, aads, strict=False)):
            try:
                nonce, body = split(value)
                plain = decrypt(nonce, body, aad)
            except failing:
                self._flush(stored[done:index], nonces)
                done = index + 1
                states[index], plain = self.open(value, aad)
                split, decrypt = self._split, self._decrypt
            else:
                nonces.append(nonce)
            plains.append(plain)
        self._flush(stored[done:], nonces)
        return states, plains

    def _flush(self, stored: Sequence[object], nonces: list[bytes]) -> None:
        """Count a run of values that opened in the settled way."""
        if nonces and self._settled is not None:
            self._tally.note(*self._settled, nonces, list(map(hash, stored)))
            self.opened += len(nonces)
            nonces.clear()

    def open(self, stored: object, aad: bytes | None, nonce: object = None, tag: object = None) -> tuple[State, bytes]:
        """The same for one value; *nonce* and *tag* where they have columns of their own."""
        if is_nothing(stored):
            return "missing", b""
        if not isinstance(stored, str | bytes):
            self._tally.formats["malformed"] += 1
            return "malformed", b""
        if (
            nonce is not None
            and self._columns is not None
            and (plain := self._joined(stored, aad, nonce, tag)) is not None
        ):
            return "opened", plain
        found = readings(stored, salted=self._salted) if nonce is None else columns_readings(stored, nonce, tag)
        tried = [reading for reading in found if self._declared in (None, reading.format)]
        opened = self._try(stored, tried, aad)
        if isinstance(opened, bytes):
            return "opened", opened
        state = self._unopened(stored, found, skipped=opened)
        if state == "malformed":
            return state, b""
        return state, stored if isinstance(stored, bytes) else stored.encode("utf-8", "replace")

    def _joined(self, stored: Any, aad: bytes | None, nonce: Any, tag: Any) -> bytes | None:
        """The plaintext of a value in several columns that opens as the last one did; None for any other."""
        key, name, decode = self._columns or (None, "", _nothing_settled)
        try:
            iv = decode(nonce)
            plain = self._decrypt(iv, decode(stored) + (b"" if tag is None else decode(tag)), aad)
        except self._failing:
            return None
        self._tally.note(key, name, [iv], [hash(stored)])
        self.opened += 1
        return plain

    def _try(self, stored: Stored, found: list[Sealed], aad: bytes | None) -> bytes | bool:
        """The plaintext, or whether a key was left out because there are too many salts."""
        skipped = False
        for reading in found:
            for key in self._keys:
                cipher = key.salted_cipher(reading.salt) if reading.salt else key.cipher()
                if cipher is None:
                    skipped = True
                    continue
                try:
                    plain = cipher.decrypt(reading.nonce, reading.body, reading.header or aad)
                except self._failing:
                    continue
                self._tally.note(key, reading.format, [reading.nonce], [hash(stored)])
                self.opened += 1
                self._settle(key, reading.format, cipher.decrypt)
                return plain
        return skipped

    def _unopened(self, stored: Stored, found: list[Sealed], *, skipped: bool) -> State:
        state = unsealed(stored, sealed_form=bool(found))
        if state not in ("unopened", "foreign"):
            self._tally.formats[COUNTED_AS.get(state, state)] += 1
            return state
        if not self._keys:
            # Whatever the key may be, one program has one.
            self._tally.note(None, found[0].format, [found[0].nonce], [hash(stored)])
            self.formats.add(found[0].format)
            return "untried"
        self._tally.note_unopened(hash(stored))
        counted = self._foreign if state == "foreign" else self._tally.formats
        counted[found[0].format] += 1
        return "untried" if skipped else state

    def _settle(self, key: Key, name: str, decrypt: Callable[..., bytes]) -> None:
        self.formats.add(name)
        self._url_alphabet |= name.startswith("b64url(")
        if name.startswith("columns "):
            self._columns = (key, name, STRICT[name.rsplit(" ", 1)[1]])
        split = splitter(name)
        self._settled = None if split is None else (key, name)
        self._split = split or _nothing_settled
        self._decrypt = decrypt

    def peek(self, stored: object, aads: Sequence[bytes | None]) -> bytes | None:
        """What any key opens of *stored*, bound to one of *aads*; None where none does. Nothing is counted."""
        if not isinstance(stored, str | bytes):
            return None
        for reading in readings(stored, salted=self._salted):
            for key in self._keys:
                cipher = key.salted_cipher(reading.salt) if reading.salt else key.cipher()
                for aad in aads:
                    with suppress(*self._failing):
                        if cipher is not None:
                            return cipher.decrypt(reading.nonce, reading.body, aad)
        return None

    def inner(self, plain: bytes, *aads: bytes) -> bytes | None:
        """What a plaintext that is itself sealed holds, bound to nothing or to one of *aads*; None for any other."""
        if self.looked_into >= LOOKED_INTO and not self.sealed_twice:
            return None
        self.looked_into += 1
        # Tokens are ASCII, and so is what seals them as text; bytes of any kind have a reading.
        inner = self.peek(plain.decode(), [None, *aads]) if plain.isascii() else None
        self.sealed_twice += inner is not None
        return inner

    def foreign(self) -> State:
        """What the column's `foreign` values are, to be asked once after the last value."""
        plain = self.opened > 0 and not self._url_alphabet
        for name, count in self._foreign.items():
            self._tally.formats["plaintext" if plain else name] += count
        self._foreign.clear()
        return "opaque" if plain else "unopened"
