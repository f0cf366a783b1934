"""What is deployed, held against the configuration that should have made it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_daan.workers.bindings import Bound, bound
from mcp_daan.workers.configuration.reading import Configuration, Scope, mapping, text
from mcp_daan.workers.deployments.account import HOURS, Seen
from mcp_daan.workers.finding import Finding, found, name

# What a binding leads to: the key in the file, and the keys in what Cloudflare tells.
TARGETS: dict[str, tuple[str, tuple[str, ...]]] = {
    "d1": ("database_id", ("database_id", "id")),
    "kv_namespace": ("id", ("namespace_id",)),
    "r2_bucket": ("bucket_name", ("bucket_name",)),
    "durable_object_namespace": ("class_name", ("class_name",)),
    "queue": ("queue", ("queue_name",)),
    "service": ("service", ("service",)),
    "workflow": ("name", ("workflow_name",)),
    "vectorize": ("index_name", ("index_name",)),
    "hyperdrive": ("id", ("id",)),
    "analytics_engine": ("dataset", ("dataset",)),
    "dispatch_namespace": ("namespace", ("namespace",)),
    "mtls_certificate": ("certificate_id", ("certificate_id",)),
}
SECRETS = ("secret_text", "secret_key")
VARIABLES = ("plain_text", "json")
AUTOMATIC = ("inherit", "wasm_module", "text_blob", "data_blob")
DEPLOY = "Deploy the file as it stands: `wrangler deploy{env}`."


@dataclass(frozen=True)
class Wanted:
    """One Worker as its configuration has it: the top level, or one environment."""

    config: Configuration
    scope: Scope

    @property
    def script(self) -> str:
        """What wrangler calls it in the account."""
        named = text(self.scope.own, "name")
        if self.scope.environment is None or named:
            return named or self.config.config.name
        return f"{self.config.config.name}-{self.scope.environment}"

    @property
    def deploy(self) -> str:
        """How it is deployed anew."""
        return DEPLOY.format(env=f" --env {self.scope.environment}" if self.scope.environment else "")

    def line(self, *keys: str | int) -> int | None:
        """The line of *keys* in the file."""
        return self.config.line(*keys)


def compared(wanted: Wanted, seen: Seen) -> list[Finding]:
    """Where what is deployed is not what *wanted* says, or does not run well."""
    return [
        *_bindings(wanted, seen),
        *_rollout(wanted, seen),
        *_dates(wanted, seen),
        *_crons(wanted, seen),
        *_errors(wanted, seen),
    ]


def _bindings(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    expected = {each.name: each for each in bound(wanted.scope)}
    values = mapping(wanted.scope.get("vars"))
    kept = wanted.scope.get("keep_vars") is True
    for version, held in zip(seen.worker.versions, seen.bindings, strict=True):
        there = {str(each.get("name")): each for each in held if each.get("type") not in AUTOMATIC}
        part = f" by {version.percentage:g} % of requests" if len(seen.bindings) > 1 else ""
        for each in expected.values():
            if each.name not in there:
                yield _missing(wanted, each, part)
            else:
                yield from _differs(wanted, each, there[each.name], part)
                if each.type in VARIABLES and not _same(values.get(each.name), there[each.name]):
                    message = f"The variable {name(each.name)} of `{wanted.script}` has another value{part} than in the file: the next deployment replaces it."
                    yield _found(
                        "deployed_var_differs",
                        wanted,
                        message,
                        "Write the value that is right into the file, then deploy.",
                        each,
                    )
        for other in sorted(set(there) - set(expected)):
            kind = str(there[other].get("type"))
            if kind not in SECRETS and not (kind in VARIABLES and kept):
                yield _extra(wanted, other, kind)


def _missing(wanted: Wanted, each: Bound, part: str) -> Finding:
    secret = each.type in SECRETS
    env = f" --env {wanted.scope.environment}" if wanted.scope.environment else ""
    return _found(
        "deployed_binding_missing",
        wanted,
        f"{name(each.name)} ({each.type}) is in the file and not found on `env`{part} of the deployed `{wanted.script}`: code that uses it fails.",
        f"Set it: `wrangler secret put {each.name}{env}`." if secret else wanted.deploy,
        each,
    )


def _extra(wanted: Wanted, other: str, kind: str) -> Finding:
    lost = "set `keep_vars` to true" if kind in VARIABLES else "add it to the file"
    return found(
        "deployed_binding_extra",
        wanted.config.shown,
        f"{name(other)} ({name(kind)}) is bound in the deployed `{wanted.script}` and not in {wanted.scope.words} of the file: the next deployment takes it away.",
        f"If the code needs it, {lost} before the next deployment; else deploy.",
        line=wanted.line(*(wanted.scope.prefix or ("name",))),
    )


def _differs(wanted: Wanted, each: Bound, there: Mapping[str, Any], part: str) -> Iterator[Finding]:
    kind = there.get("type")
    same_kind = (
        kind == each.type
        or (each.type in VARIABLES and kind in VARIABLES)
        or (each.type in SECRETS and kind in SECRETS)
    )
    if not same_kind:
        message = f"{name(each.name)} of `{wanted.script}` is {each.type} in the file and {name(kind)} where it is deployed{part}."
        yield _found("deployed_binding_differs", wanted, message, wanted.deploy, each)
        return
    key, keys = TARGETS.get(each.type, ("", ()))
    here = text(each.entry, key)
    target = next((value for other in keys if (value := text(there, other))), None)
    if here and target and here.lower() != target.lower():
        message = f"{name(each.name)} ({each.type}) of `{wanted.script}` leads to {name(here)} in the file and to {name(target)} where it is deployed{part}: they read and write different data."
        yield _found(
            "deployed_binding_differs", wanted, message, f"Write the right `{key}` into the file. {wanted.deploy}", each
        )


def _same(value: object, there: Mapping[str, Any]) -> bool:
    """Whether a variable has the *value* of the file; what Cloudflare does not tell counts as the same."""
    if "text" in there or "json" in there:
        return bool(there.get("text", there.get("json")) == value)
    return True


def _rollout(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    if len(seen.worker.versions) > 1:
        shares = ", ".join(
            f"{each.percentage:g} % version {each.number or each.id[:8]}" for each in seen.worker.versions
        )
        yield found(
            "deployed_rollout",
            wanted.config.shown,
            f"`{wanted.script}` is being rolled out: {shares}. A customer can meet either.",
            "Finish it with `wrangler versions deploy`, or roll back with `wrangler rollback`.",
        )


def _dates(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    here = wanted.scope.get("compatibility_date")
    there = {each.compatibility_date for each in seen.worker.versions if each.compatibility_date}
    if here and there and there != {str(here)}:
        yield found(
            "deployed_date_differs",
            wanted.config.shown,
            f"`{wanted.script}` runs with the compatibility date {name(', '.join(sorted(there)))}, the file says {name(here)}.",
            f"{wanted.deploy} Until then it behaves otherwise than `wrangler dev`.",
            line=wanted.line(*wanted.scope.keys_of("compatibility_date")),
        )


def _crons(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    if seen.worker.crons is None:
        return
    listed = mapping(wanted.scope.get("triggers")).get("crons")
    # Without the key a deployment leaves the triggers alone.
    if not isinstance(listed, list):
        return
    here = {str(each) for each in listed}
    there = set(seen.worker.crons)
    if here != there:
        absent, extra = (", ".join(sorted(each)) for each in (here - there, there - here))
        told = [f"{name(absent)} is not deployed"] * bool(absent) + [
            f"{name(extra)} is deployed and not in the file"
        ] * bool(extra)
        yield found(
            "deployed_cron_differs",
            wanted.config.shown,
            f"The cron triggers of `{wanted.script}` differ: {'; '.join(told)}. What they drive, such as the refresh of tokens, runs at other times or never.",
            wanted.deploy,
            line=wanted.line(*wanted.scope.keys_of("triggers", "crons")),
        )


def _errors(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    count = sum(each.count for each in seen.worker.errors or [])
    if count:
        yield found(
            "deployed_errors",
            wanted.config.shown,
            f"`{wanted.script}` logged {count} errors of its {len(seen.worker.errors or [])} most frequent kinds in the last {HOURS} hours.",
            "`apps[].deployments` tells which; see the Worker's logs for where they come from.",
        )


def _found(code: Any, wanted: Wanted, message: str, fix: str, each: Bound) -> Finding:
    return found(code, wanted.config.shown, message, fix, line=wanted.line(*each.keys))
