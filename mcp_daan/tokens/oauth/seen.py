"""What one request brought: an answer, or the reason why there is none."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urljoin

from mcp_daan.cached import cached_property

Problem = Literal["invalid", "barred", "name", "connect", "tls", "slow", "protocol"]
SHOWN_CHARACTERS = 200
HEADER_CHARACTERS = 8192
REDIRECTS = (301, 302, 303, 307, 308)
CHALLENGE_PAGE = re.compile(
    rb"/cdn-cgi/challenge-platform/|_cf_chl_opt|<title>Just a moment|<title>Attention Required! \| Cloudflare"
    rb"|cf-error-details|^error code: 10\d\d\s*$"
)
# What Cloudflare says when the machine behind it does not answer.
UNANSWERED = {*range(520, 528), 530}
ACCESS = re.compile(r"^https://[\w.-]+\.cloudflareaccess\.com/|/cdn-cgi/access/")


@dataclass(frozen=True)
class Certificate:
    """What the handshake showed."""

    version: str
    expires: datetime | None


@dataclass(frozen=True)
class Seen:
    """One answer, its body cut at a limit; without *status* none came, and *reason* says why in our words."""

    url: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = True
    hops: tuple[str, ...] = ()
    problem: Problem | None = None
    reason: str = ""
    certificate: Certificate | None = None

    def header(self, name: str) -> str:
        """A header's value, cut, or nothing."""
        return self.headers.get(name, "")[:HEADER_CHARACTERS]

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def location(self) -> str:
        """Where a redirect points, or nothing."""
        return self.header("location") if self.status in REDIRECTS else ""

    @property
    def target(self) -> str:
        """Where a redirect points, as a whole URL, or nothing."""
        try:
            return urljoin(self.url, self.location) if self.location else ""
        except ValueError:
            return "an invalid URL"

    @cached_property
    def stopped(self) -> str:
        """Why this says nothing about the portal: no answer came, or something that stands before it answered."""
        if self.problem == "invalid":
            return ""
        if self.status is None:
            return f"no answer: {self.reason}"
        if self.header("cf-mitigated") == "challenge" or (
            self.status in (403, 429, 503) and CHALLENGE_PAGE.search(self.body)
        ):
            return f"{self.status}, a page of Cloudflare's that challenges or turns away"
        if self.status in UNANSWERED:
            return f"{self.status}, Cloudflare has no answer from the portal"
        if ACCESS.search(self.location) or any(ACCESS.search(hop) for hop in self.hops):
            return "a login of Cloudflare Access stands before it"
        return ""

    @property
    def told(self) -> str:
        """Status, kind and way of the answer, in a few words."""
        if self.status is None:
            return f"no answer: {self.reason}"
        way = f" after {len(self.hops)} redirect{'s' * (len(self.hops) > 1)}" if self.hops else ""
        kind = f" {shown(self.media_type, 60)}" if self.media_type else ""
        to = f" to {shown(self.location, 100)}" if self.location else ""
        why = f", not followed: {self.reason}" if self.location and self.reason else ""
        return f"{self.status}{kind}{to}{way}{why}"


@dataclass(frozen=True)
class Document:
    """A JSON object that was asked for, and what is wrong with the way it came."""

    url: str
    seen: Seen

    @cached_property
    def _read(self) -> tuple[dict[str, Any] | None, str]:
        if self.seen.status != 200:
            return None, self.seen.told
        if not self.seen.whole:
            return None, "200, but the body did not end within the limits of size and time"
        if self.seen.header("content-encoding") not in ("", "identity"):
            return None, "200, but compressed though that was not asked for"
        try:
            value = json.loads(self.seen.body)
        except (ValueError, RecursionError):
            return None, f"{self.seen.told}, not JSON"
        if not isinstance(value, dict):
            return None, f"{self.seen.told}, JSON but no object"
        faults = ["a redirect before it"] if self.seen.hops else []
        if self.seen.media_type != "application/json":
            faults.append(f"the content type {shown(self.seen.media_type, 60) or 'missing'}")
        return value, f"200, with {' and '.join(faults)}" if faults else ""

    @property
    def value(self) -> dict[str, Any] | None:
        """The object, if one came, however it was served."""
        return self._read[0]

    @property
    def fault(self) -> str:
        """What is wrong with the answer; empty for a clean one."""
        return self._read[1]

    @property
    def stopped(self) -> str:
        """Why nothing can be said about it; empty if something can."""
        return "" if self.value is not None else self.seen.stopped


def shown(text: object, most: int = SHOWN_CHARACTERS) -> str:
    """*text* of others as one short printable line."""
    line = "".join(each if each.isprintable() else "?" for each in str(text)[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


_PART = re.compile(
    r"""[\s,]*(?P<name>[\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+)))?""", re.A
)


def bearer(header: str) -> dict[str, str] | None:
    """The parameters of the Bearer challenge in a WWW-Authenticate header, by lower-case name; None without one."""
    found: dict[str, str] | None = None
    inside, position = False, 0
    while part := _PART.match(header, position):
        position = part.end()
        name = part["name"].lower()
        if part["quoted"] is None and part["plain"] is None:
            inside = name == "bearer" and found is None
            if inside:
                found = {}
        elif inside and found is not None:
            value = part["plain"] if part["quoted"] is None else re.sub(r"\\(.)", r"\1", part["quoted"])
            found.setdefault(name, value)
    return found
