"""What the account tells of one Worker: deployments, versions, cron triggers, recent errors."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcp_daan.cloudflare import Cloudflare
from mcp_daan.errors import DaanError, NotFound, RejectedCredentials, TooSlow
from mcp_daan.protocol import Model
from mcp_daan.workers.configuration.reading import mapping, text
from mcp_daan.workers.kv.masking import Masking

# Errors are told of so many hours; the free plan keeps logs for three days.
HOURS = 24
MOST_ERRORS = 5
MOST_DEPLOYMENTS = 5
# A deployment has one version, or two during a rollout.
MOST_VERSIONS = 4
MESSAGE = 300
# Not the Worker is unknown, but the path to it: the account's id is no account's.
NO_ROUTE = 7003
READING = "Workers Scripts: Read"
OBSERVING = "Workers Observability: Read"


class Version(Model):
    """One version that serves requests, and how many of them."""

    id: str
    number: int | None
    percentage: float
    created_on: str | None
    source: str | None
    message: str | None
    compatibility_date: str | None


class Deployment(Model):
    """One deployment, newest first: when, from where, which versions."""

    created_on: str | None
    source: str | None
    triggered_by: str | None
    versions: dict[str, float]


class Failure(Model):
    """One kind of error and how often it was logged."""

    message: str
    count: int


class Worker(Model):
    """One Worker of the account; what the token could not see is null."""

    script: str
    environment: str | None
    versions: list[Version]
    deployments: list[Deployment]
    crons: list[str] | None
    errors: list[Failure] | None
    errors_hours: int = HOURS


@dataclass
class Seen:
    """What was seen of a Worker: what to show, what each version finds on `env`, and what could not be seen."""

    worker: Worker
    bindings: list[list[Mapping[str, Any]]] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)


class Account:
    """The Workers of one account, asked within one deadline."""

    def __init__(self, cloudflare: Cloudflare, *, now: float, seconds: float) -> None:
        self._cloudflare = cloudflare
        self._now = now
        self._until = time.monotonic() + seconds

    def worker(self, script: str, environment: str | None) -> Seen | None:
        """The Worker called *script*; None where the account has none. Raises what keeps it from being seen."""
        try:
            listed = mapping(self._get(script, "deployments")).get("deployments")
        except NotFound as error:
            if error.upstream is not None and error.upstream.code == NO_ROUTE:
                raise
            return None
        found = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
        if not found:
            return None
        shares = _shares(found[0])
        worker = Worker(
            script=script,
            environment=environment,
            versions=[],
            deployments=[_deployment(each) for each in found[:MOST_DEPLOYMENTS]],
            crons=None,
            errors=None,
        )
        seen = Seen(worker)
        for version, share in list(shares.items())[:MOST_VERSIONS]:
            about = mapping(self._get(script, "versions", version))
            resources = mapping(about.get("resources"))
            worker.versions.append(_version(version, share, about))
            bound = resources.get("bindings")
            seen.bindings.append(
                [each for each in bound if isinstance(each, Mapping)] if isinstance(bound, list) else []
            )
        self._crons(seen)
        self._errors(seen)
        return seen

    def _crons(self, seen: Seen) -> None:
        try:
            listed = mapping(self._get(seen.worker.script, "schedules")).get("schedules")
        except DaanError as error:
            seen.holes.append(hole(seen.worker.script, "cron triggers", error, READING))
            return
        seen.worker.crons = (
            [cron for each in listed if (cron := text(each, "cron"))] if isinstance(listed, list) else []
        )

    def _errors(self, seen: Seen) -> None:
        """What the logs of the last hours say. A POST that reads: nothing of the query is kept."""
        script = seen.worker.script
        to = int(self._now * 1000)
        asked = {
            "queryId": "mcp-daan-errors",
            "timeframe": {"from": to - HOURS * 3_600_000, "to": to},
            "view": "calculations",
            "dry": True,
            "limit": MOST_ERRORS,
            "parameters": {
                "datasets": ["cloudflare-workers"],
                "filterCombination": "and",
                "filters": [
                    {"key": "$metadata.service", "operation": "eq", "type": "string", "value": script},
                    {"key": "$metadata.error", "operation": "exists", "type": "string"},
                ],
                "calculations": [{"operator": "count"}],
                "groupBys": [{"type": "string", "value": "$metadata.error"}],
                "limit": MOST_ERRORS,
            },
        }
        path = self._cloudflare.account("workers", "observability", "telemetry", "query")
        try:
            answer = mapping(self._cloudflare.read(path, asked, seconds=self._left()).result)
        except DaanError as error:
            seen.holes.append(hole(script, "recent errors", error, OBSERVING))
            return
        if mapping(answer.get("run")).get("status") == "STARTED":
            seen.holes.append(f"{script}: Cloudflare had not counted the recent errors yet. Ask again in a moment.")
            return
        seen.worker.errors = _failures(answer.get("calculations"))

    def _get(self, script: str, *parts: str) -> Any:
        path = self._cloudflare.account("workers", "scripts", script, *parts)
        return self._cloudflare.get(path, seconds=self._left()).result

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooSlow("There was no time left to ask Cloudflare.", advice="Name one `app`, or ask again.")
        return left


def hole(script: str, what: str, error: DaanError, permission: str) -> str:
    """What of *script* could not be seen, why, and what to do."""
    advice = (
        f"Give the API token the permission `{permission}`." if isinstance(error, RejectedCredentials) else error.advice
    )
    return f"{script}: {what} could not be seen. {error.message} {advice}"


def _shares(deployment: Mapping[str, Any]) -> dict[str, float]:
    """The percentage of each version of *deployment*."""
    listed = deployment.get("versions")
    return {
        version: float(share)
        for each in (listed if isinstance(listed, list) else [])
        if (version := text(each, "version_id")) and isinstance(share := each.get("percentage"), int | float)
    }


def _deployment(about: Mapping[str, Any]) -> Deployment:
    return Deployment(
        created_on=text(about, "created_on"),
        source=text(about, "source"),
        triggered_by=text(about.get("annotations"), "workers/triggered_by"),
        versions=_shares(about),
    )


def _version(version: str, share: float, about: Mapping[str, Any]) -> Version:
    number = about.get("number")
    message = text(about.get("annotations"), "workers/message")
    return Version(
        id=version,
        number=number if isinstance(number, int) else None,
        percentage=share,
        created_on=text(about.get("metadata"), "created_on"),
        source=text(about.get("metadata"), "source"),
        message=Masking().text(message)[:MESSAGE] if message else None,
        compatibility_date=text(mapping(about.get("resources")).get("script_runtime"), "compatibility_date"),
    )


def _failures(calculations: object) -> list[Failure]:
    first: object = calculations[0] if isinstance(calculations, list) and calculations else None
    aggregates: Sequence[Any] = mapping(first).get("aggregates") or []
    found = []
    for each in aggregates if isinstance(aggregates, list) else []:
        groups = mapping(each).get("groups") or []
        message = next((str(mapping(group).get("value")) for group in groups if isinstance(group, Mapping)), "")
        count = mapping(each).get("value", mapping(each).get("count"))
        if isinstance(count, int | float) and count > 0:
            found.append(Failure(message=Masking().text(message)[:MESSAGE], count=int(count)))
    return sorted(found, key=lambda each: -each.count)[:MOST_ERRORS]
