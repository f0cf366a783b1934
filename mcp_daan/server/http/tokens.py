"""Static bearer tokens: made once, shown once, kept as a hash in a file that only its owner may read."""

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mcp_daan.config import Http
from mcp_daan.errors import Conflict, InvalidArguments, NotFound, Refused, Unavailable
from mcp_daan.server.locking import locked
from mcp_daan.server.offer import SCOPES
from mcp_daan.workspace import data_folder

PREFIX = "daan_"
NAME_LENGTH = 64
MOST_DAYS = 3660


@dataclass(frozen=True)
class Grant:
    """A token without the token: whose it is, what it may, its hash."""

    name: str
    scopes: tuple[str, ...]
    digest: str
    created: str
    expires: str | None = None

    def live(self, moment: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or moment < datetime.fromisoformat(self.expires)


class TokenFile:
    """The file of hashes, looked at again whenever it changes."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or data_folder() / "tokens.json"
        self._seen: tuple[int, ...] | None = None
        self._grants: tuple[Grant, ...] = ()

    def grants(self) -> tuple[Grant, ...]:
        """Every grant; none while there is no file.

        Raises Refused when others may read or write the file, Unavailable when it cannot be understood.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return ()
        except OSError:
            raise _unreadable() from None
        if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
            raise Refused(
                "The file of tokens may be read or written by others.",
                advice="Run `chmod 600` on it: only its owner may.",
            )
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        if mark != self._seen:
            self._grants = _read(self.path)
            self._seen = mark
        return self._grants

    def find(self, token: str) -> Grant | None:
        """The live grant of *token*. Every hash is compared, in constant time."""
        digest = _digest(token)
        found = [grant for grant in self.grants() if hmac.compare_digest(grant.digest, digest)]
        # The true clock: the one that DAAN_NOW fixes is for judging health, not for letting people in.
        return next((grant for grant in found if grant.live(datetime.now(UTC))), None)

    def create(self, name: str, scopes: Iterable[str], days: int | None = None) -> str:
        """A new token, which is kept nowhere. Raises Conflict when the name is taken."""
        if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
            raise InvalidArguments(
                "The token's name is empty, too long or not printable.", advice=f"Give 1 to {NAME_LENGTH} characters."
            )
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise InvalidArguments("`--days` is out of range.", advice=f"Give 1 to {MOST_DAYS}.")
        wanted = _scopes(scopes)
        token = PREFIX + secrets.token_urlsafe(32)
        moment = datetime.now(UTC).replace(microsecond=0)
        expires = None if days is None else (moment + timedelta(days=days)).isoformat()
        with self._changing() as grants:
            if any(grant.name == name for grant in grants):
                raise Conflict("There is a token of that name.", advice="Revoke it first, or choose another name.")
            grants.append(Grant(name, wanted, _digest(token), moment.isoformat(), expires))
        return token

    def revoke(self, name: str) -> None:
        """Forget the token called *name*. Raises NotFound when there is none."""
        with self._changing() as grants:
            kept = [grant for grant in grants if grant.name != name]
            if kept == grants:
                raise NotFound("There is no token of that name.", advice="`mcp-daan token list` names them.")
            grants[:] = kept

    @contextmanager
    def _changing(self) -> Iterator[list[Grant]]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked() as grants:
                yield grants
        except OSError:
            raise Unavailable(
                "The file of tokens cannot be written.", advice="Check its folder, or set `[http] token_file`."
            ) from None

    @contextmanager
    def _locked(self) -> Iterator[list[Grant]]:
        with locked(self.path):
            grants = list(self.grants())
            yield grants
            fresh = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as opened:
                json.dump({"tokens": [asdict(grant) for grant in grants]}, opened, indent=2)
                opened.flush()
                os.fsync(opened.fileno())
            fresh.replace(self.path)


def token_file(settings: Http, root: Path) -> TokenFile:
    """The file that `mcp-daan token` writes, where the settings put it."""
    return TokenFile(root / Path(settings.token_file).expanduser() if settings.token_file else None)


def _read(path: Path) -> tuple[Grant, ...]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["tokens"]
        return tuple(Grant(**{**each, "scopes": tuple(each["scopes"])}) for each in kept)
    except (OSError, ValueError, KeyError, TypeError):
        raise _unreadable() from None


def _unreadable() -> Unavailable:
    return Unavailable("The file of tokens cannot be read.", advice="Mend it, or remove it and create tokens anew.")


def _scopes(given: Iterable[str]) -> tuple[str, ...]:
    wanted = {part.strip() for each in given for part in each.replace(" ", ",").split(",") if part.strip()}
    unknown = sorted(wanted - set(SCOPES))
    if unknown or not wanted:
        raise InvalidArguments(
            "A scope is not known." if unknown else "The token has no scope.",
            advice=f"Scopes are: {', '.join(SCOPES)}.",
        )
    return tuple(scope for scope in SCOPES if scope in wanted)


def _digest(token: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
