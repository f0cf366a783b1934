"""A Pages project: what its configuration may not hold."""

from collections.abc import Iterator
from typing import Any

from mcp_daan.workers.configuration.places import Path as Keys
from mcp_daan.workers.configuration.reading import mapping
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Seen

# What wrangler takes for Pages; of `queues` only producers.
SUPPORTED = frozenset(
    "$schema env pages_build_output_dir name compatibility_date compatibility_flags send_metrics no_bundle limits placement"
    " vars durable_objects kv_namespaces queues r2_buckets d1_databases vectorize hyperdrive services"
    " analytics_engine_datasets ai version_metadata dev mtls_certificates browser upload_source_maps".split()
)
# What says no more than wrangler takes anyway is let through.
DEFAULTS: dict[str, Any] = {
    "observability": {"enabled": True},
    "jsx_factory": "React.createElement",
    "jsx_fragment": "React.Fragment",
    "build": {"watch_dir": "./src"},
    "triggers": {},
}
ENVIRONMENTS = ("preview", "production")


def pages_findings(seen: Seen) -> Iterator[Finding]:
    """What wrangler refuses in a file that names `pages_build_output_dir`."""
    config = seen.config
    if "pages_build_output_dir" not in config.values:
        return
    if not isinstance(config.values.get("name"), str):
        yield found(
            "key_missing",
            config.shown,
            "A Pages project needs `name` at the top level: `wrangler pages deploy` refuses the file.",
            config.written(config.scopes[0], "name", config.folder.name),
        )
    for scope in config.scopes:
        for key, value in scope.own.items():
            known = key in seen.known.schema.get("definitions", {}).get("RawConfig", {}).get("properties", {})
            if known and key not in SUPPORTED and value not in (None, [], DEFAULTS.get(key)):
                yield _unsupported(seen, (*scope.prefix, key), key)
        if mapping(scope.own.get("queues")).get("consumers"):
            yield _unsupported(seen, (*scope.prefix, "queues", "consumers"), "queues.consumers")
        if scope.environment and scope.environment not in ENVIRONMENTS:
            yield found(
                "pages_unsupported",
                config.shown,
                f"Pages knows the environments `preview` and `production` only, not {name(scope.environment)}: `wrangler pages"
                " deploy` refuses the file.",
                "Rename the environment to `preview` or `production`.",
                line=config.line(*scope.prefix),
            )


def _unsupported(seen: Seen, keys: Keys, key: str) -> Finding:
    instead = (
        "Remove `main` (a function goes into `functions/` or `_worker.js`), or remove `pages_build_output_dir` and deploy a Worker."
        if key == "main"
        else f"Remove {name(key)}, or make the project a Worker: `main` and `assets` in place of `pages_build_output_dir`."
    )
    return found(
        "pages_unsupported",
        seen.config.shown,
        f"Pages projects do not support {name(key)}: `wrangler pages deploy` refuses the file.",
        instead,
        line=seen.config.line(*keys),
    )
