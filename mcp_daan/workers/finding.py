"""What a check of Workers can find, and how grave each finding is."""

from typing import Annotated, Literal

from pydantic import WithJsonSchema

from mcp_daan.protocol import Model, Severity

Code = Literal[
    "config_unreadable",
    "config_shadowed",
    "config_redirect_broken",
    "config_redirect_stale",
    "schema_unreadable",
    "key_unknown",
    "key_removed",
    "key_deprecated",
    "key_missing",
    "key_twice",
    "value_type",
    "value_unknown",
    "name_twice",
    "compatibility_date_missing",
    "compatibility_date_future",
    "compatibility_date_old",
    "compatibility_flags_conflict",
    "env_not_inherited",
    "env_binding_missing",
    "env_not_named",
    "binding_twice",
    "id_placeholder",
    "database_shared",
    "database_preview_id",
    "migrations_dir_missing",
    "secret_in_config",
    "observability_absent",
    "limit_exceeded",
    "durable_object_undeclared",
    "durable_object_two_ways",
    "class_not_exported",
    "handler_missing",
    "main_missing",
    "assets_exposed",
    "assets_without_main",
    "pages_unsupported",
    "cron_invalid",
    "cron_slower_than_loop",
    "cron_missing",
    "node_too_old",
    "bundle_too_large",
    "astro_adapter_missing",
    "astro_versions_differ",
    "astro_pages_dropped",
    "astro_main_outdated",
    "astro_assets_missing",
    "astro_output_removed",
    "astro_option_removed",
    "astro_runtime_removed",
    "astro_prerendered",
    "astro_route_missing",
    "astro_middleware_guards",
    "not_deployed",
    "deployed_binding_missing",
    "deployed_binding_extra",
    "deployed_binding_differs",
    "deployed_var_differs",
    "deployed_rollout",
    "deployed_date_differs",
    "deployed_cron_differs",
    "deployed_errors",
]

# error: it fails, leaks or loses something. warning: it works by luck, or less well than it may. info: good to know.
SEVERITIES: dict[Code, Severity] = {
    "config_unreadable": "error",  # nothing can be deployed
    "config_shadowed": "warning",  # people edit a file that wrangler does not read
    "config_redirect_broken": "error",  # wrangler refuses to deploy
    "config_redirect_stale": "warning",  # a deployment ships the settings of an earlier build
    "schema_unreadable": "info",
    "key_unknown": "warning",  # wrangler warns, and the setting has no effect
    "key_removed": "warning",  # error where wrangler refuses it
    "key_deprecated": "warning",
    "key_missing": "error",
    "key_twice": "warning",  # the last one counts, in silence
    "value_type": "error",
    "value_unknown": "error",
    "name_twice": "warning",  # one deployment replaces the other; a test may share it on purpose
    "compatibility_date_missing": "error",  # wrangler refuses to deploy
    "compatibility_date_future": "error",  # Cloudflare refuses it
    "compatibility_date_old": "info",
    "compatibility_flags_conflict": "error",
    "env_not_inherited": "error",  # the deployed Worker has no database; warning for what is no binding
    "env_binding_missing": "warning",
    "env_not_named": "warning",  # a deployment goes to the wrong environment
    "binding_twice": "error",
    "id_placeholder": "error",
    "database_shared": "warning",  # trying things out writes where customers read
    "database_preview_id": "info",
    "migrations_dir_missing": "warning",
    "secret_in_config": "error",
    "observability_absent": "warning",
    "limit_exceeded": "error",
    "durable_object_undeclared": "error",  # Cloudflare refuses the deployment
    "durable_object_two_ways": "error",
    "class_not_exported": "error",
    "handler_missing": "error",  # each run of the cron trigger, each batch fails
    "main_missing": "error",
    "assets_exposed": "error",  # source and secrets are served to everyone
    "assets_without_main": "error",
    "pages_unsupported": "error",
    "cron_invalid": "error",
    "cron_slower_than_loop": "error",  # tokens expire between two runs
    "cron_missing": "warning",  # something else may drive the loop
    "node_too_old": "error",  # wrangler stops at its start
    "bundle_too_large": "error",  # warning near the limit
    "astro_adapter_missing": "error",
    "astro_versions_differ": "error",
    "astro_pages_dropped": "error",
    "astro_main_outdated": "error",
    "astro_assets_missing": "warning",
    "astro_output_removed": "error",
    "astro_option_removed": "warning",
    "astro_runtime_removed": "error",  # every request to the page fails
    "astro_prerendered": "error",  # the route answers what it answered at build time
    "astro_route_missing": "warning",
    "astro_middleware_guards": "warning",
    "not_deployed": "warning",
    "deployed_binding_missing": "error",  # code that uses it fails
    "deployed_binding_extra": "warning",  # the next deployment takes it away
    "deployed_binding_differs": "error",  # two sets of data where people think of one
    "deployed_var_differs": "warning",
    "deployed_rollout": "info",
    "deployed_date_differs": "info",
    "deployed_cron_differs": "error",  # tokens are refreshed too late or never
    "deployed_errors": "warning",
}
_GRAVEST_FIRST: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}
_LONGEST = 600


class Finding(Model):
    """One thing that is not as it should be: what it costs, and the exact change that mends it."""

    # Sixty words would be in every client's list of tools; docs/workers-check.md has them.
    code: Annotated[Code, WithJsonSchema({"type": "string"})]
    severity: Severity
    path: str
    line: int | None = None
    message: str
    fix: str
    app: str | None = None


def found(
    code: Code, path: str, message: str, fix: str, *, line: int | None = None, severity: Severity | None = None
) -> Finding:
    """A finding with its code's severity, unless *severity* says otherwise."""
    return Finding(
        code=code,
        severity=severity or SEVERITIES[code],
        path=path,
        line=line,
        message=_short(message),
        fix=_short(fix),
    )


def in_order(findings: list[Finding]) -> list[Finding]:
    """The findings once each: gravest first, then by path and line."""
    unique = {(each.code, each.path, each.line, each.message): each for each in findings}
    return sorted(
        unique.values(), key=lambda each: (_GRAVEST_FIRST[each.severity], each.path, each.line or 0, each.code)
    )


def name(text: object) -> str:
    """A name from a file as a message may show it: printable, short, between backticks."""
    plain = "".join(each if each.isprintable() and each != "`" else "?" for each in str(text))
    return f"`{plain if len(plain) <= 80 else plain[:79] + '…'}`"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
