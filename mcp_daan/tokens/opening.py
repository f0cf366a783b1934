"""Open the sealed values of a table, and count what that teaches about formats, keys and nonces."""

from collections import Counter
from collections.abc import Callable

from mcp_daan.tokens.keys import Key, KeyRing
from mcp_daan.tokens.sealed import Sealed, columns_readings, readings, splitter
from mcp_daan.tokens.stored import State, is_nothing, unsealed

# Where nothing ever opened, the key is wrong: then only the likeliest reading of each further value is tried.
ENOUGH_FAILURES = 500


class Tally:
    """What the values of a table have in common; no value stays in it, only numbers that tell them apart."""

    def __init__(self) -> None:
        self.formats: Counter[str] = Counter()
        self.keys: Counter[str] = Counter({"current": 0, "previous": 0})
        self.opened: Counter[Key | None] = Counter()
        self.sealed_twice = 0
        self._values: set[int] = set()
        self._repeated: set[int] = set()
        self._nonces: dict[Key | None, set[bytes]] = {}
        self._reused: set[tuple[Key | None, bytes]] = set()

    def repeats(self, stored: str | bytes) -> bool:
        """Note a sealed value; whether the very same was seen before."""
        # Python keys this hash anew for each process; 64 bits tell millions of values apart.
        number = hash(stored)
        if number in self._values:
            self._repeated.add(number)
            return True
        self._values.add(number)
        return False

    def note_nonce(self, key: Key | None, nonce: bytes) -> None:
        """Note that *key* sealed a value under *nonce*."""
        seen = self._nonces.get(key)
        if seen is None:
            seen = self._nonces[key] = set()
        if nonce in seen:
            self._reused.add((key, nonce))
        seen.add(nonce)

    @property
    def nonce_reuse(self) -> int:
        """How many distinct nonces sealed more than one value under one key; a copied value is no second use."""
        return len(self._reused)

    @property
    def duplicates(self) -> int:
        """How many distinct sealed values are stored more than once."""
        return len(self._repeated)


class Opener:
    """Opens the values of one column: what opened the last value is tried first on the next."""

    def __init__(self, ring: KeyRing, tally: Tally, *, declared: str | None = None) -> None:
        self._keys = ring.keys
        self._salted = any(key.salted for key in ring.keys)
        self._tally = tally
        self._declared = declared
        self._failures = 0
        self._failing: tuple[type[Exception], ...] = (ValueError, TypeError, AttributeError, OverflowError)
        if ring:
            # Imported with the first key only: it takes 40 ms.
            from cryptography.exceptions import InvalidTag

            self._failing = (InvalidTag, *self._failing)
        self._last: tuple[Key, str, Callable[[str], tuple[bytes, bytes]], Callable[..., bytes]] | None = None
        self.opened = 0
        self._url_alphabet = False
        self._foreign: Counter[str] = Counter()

    def open(
        self,
        stored: str | bytes,
        aad: bytes | None = None,
        nonce: str | bytes | None = None,
        tag: str | bytes | None = None,
    ) -> tuple[State, bytes]:
        """What *stored* is, and its plaintext where it opens; *nonce* and *tag* where they have their own columns."""
        if self._last is not None and nonce is None:
            key, name, split, decrypt = self._last
            try:
                iv, body = split(stored)  # type: ignore[arg-type]  # bytes go the long way
                plain = decrypt(iv, body, aad)
            except self._failing:
                pass
            else:
                self._note(stored, key, name, iv)
                return "opened", plain
        if is_nothing(stored):
            return "missing", b""
        found = readings(stored, salted=self._salted) if nonce is None else columns_readings(stored, nonce, tag)
        if self._declared is not None:
            found = [reading for reading in found if reading.format == self._declared]
        return self._try(stored, found, aad)

    def _try(self, stored: str | bytes, found: list[Sealed], aad: bytes | None) -> tuple[State, bytes]:
        hopeless = self._failures >= ENOUGH_FAILURES and not self.opened
        skipped = False
        for reading in found[:1] if hopeless else found:
            for key in self._keys:
                cipher = key.salted_cipher(reading.salt) if reading.salt else key.cipher()
                if cipher is None:
                    skipped = True
                    continue
                try:
                    plain = cipher.decrypt(reading.nonce, reading.body, reading.header or aad)
                except self._failing:
                    continue
                self._settle(key, reading, cipher.decrypt)
                self._note(stored, key, reading.format, reading.nonce)
                return "opened", plain
        return self._unopened(stored, found, skipped), b""

    def _unopened(self, stored: str | bytes, found: list[Sealed], skipped: bool) -> State:
        state = unsealed(stored, sealed_form=bool(found))
        if state in ("unopened", "foreign"):
            self._tally.repeats(stored)
            counted = self._tally.formats if state == "unopened" else self._foreign
            counted[found[0].format] += 1
            if not self._keys:
                self._tally.note_nonce(None, found[0].nonce)
            if skipped or not self._keys:
                return "untried"
            self._failures += 1
        elif state == "other":
            self._tally.formats["Fernet"] += 1
        else:
            self._tally.formats[state] += 1
        return state

    def _note(self, stored: str | bytes, key: Key, name: str, nonce: bytes) -> None:
        tally = self._tally
        self.opened += 1
        tally.opened[key] += 1
        tally.keys[key.role] += 1
        tally.formats[name] += 1
        if not tally.repeats(stored):
            tally.note_nonce(key, nonce)

    def foreign(self) -> State:
        """What the column's `foreign` values are, to be asked once after the last value."""
        plain = self.opened > 0 and not self._url_alphabet
        for name, count in self._foreign.items():
            self._tally.formats["plaintext" if plain else name] += count
        return "plaintext" if plain else "unopened"

    def _settle(self, key: Key, reading: Sealed, decrypt: Callable[..., bytes]) -> None:
        self._url_alphabet |= "b64url" in reading.format
        split = splitter(reading.format)
        self._last = None if split is None else (key, reading.format, split, decrypt)
