"""What a Worker finds on `env`: the bindings of each scope, by their names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_daan.protocol import Model
from mcp_daan.workers.configuration.places import Path as Keys
from mcp_daan.workers.configuration.reading import Configuration, Scope, entries, mapping, text

# Where each kind of binding stands, the key of its name, Cloudflare's word for its type, and the keys of its target.
LISTS: dict[Keys, tuple[str, str, tuple[str, ...]]] = {
    ("d1_databases",): ("binding", "d1", ("database_name", "database_id")),
    ("kv_namespaces",): ("binding", "kv_namespace", ("id",)),
    ("r2_buckets",): ("binding", "r2_bucket", ("bucket_name",)),
    ("durable_objects", "bindings"): ("name", "durable_object_namespace", ("class_name",)),
    ("queues", "producers"): ("binding", "queue", ("queue",)),
    ("services",): ("binding", "service", ("service",)),
    ("workflows",): ("binding", "workflow", ("name", "class_name")),
    ("vectorize",): ("binding", "vectorize", ("index_name",)),
    ("hyperdrive",): ("binding", "hyperdrive", ("id",)),
    ("analytics_engine_datasets",): ("binding", "analytics_engine", ("dataset",)),
    ("dispatch_namespaces",): ("binding", "dispatch_namespace", ("namespace",)),
    ("mtls_certificates",): ("binding", "mtls_certificate", ("certificate_id",)),
    ("send_email",): ("name", "send_email", ("destination_address",)),
    ("pipelines",): ("binding", "pipelines", ("stream", "pipeline")),
    ("secrets_store_secrets",): ("binding", "secrets_store_secret", ("secret_name",)),
    ("ratelimits",): ("name", "ratelimit", ("namespace_id",)),
    ("worker_loaders",): ("binding", "worker_loader", ()),
    ("vpc_services",): ("binding", "vpc_service", ("service_id",)),
    ("vpc_networks",): ("binding", "vpc_network", ("network_id", "tunnel_id")),
    ("ai_search_namespaces",): ("binding", "ai_search_namespace", ("namespace",)),
    ("ai_search",): ("binding", "ai_search", ("instance_name",)),
    ("agent_memory",): ("binding", "agent_memory", ("namespace",)),
    ("artifacts",): ("binding", "artifacts", ("namespace",)),
    ("flagship",): ("binding", "flagship", ("app_id",)),
    ("k2",): ("binding", "k2", ("stream",)),
    ("unsafe_hello_world",): ("binding", "unsafe_hello_world", ()),
}
# One of a kind in a scope.
SINGLE = {
    "ai": "ai",
    "browser": "browser",
    "images": "images",
    "media": "media",
    "stream": "stream",
    "analytics": "analytics",
    "version_metadata": "version_metadata",
    "assets": "assets",
}


class Binding(Model):
    """One name on `env`; `target` is what it leads to; of variables and secrets the name only."""

    name: str
    type: str
    target: str | None = None
    environment: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Bound:
    """A binding and where it stands."""

    name: str
    type: str
    target: str | None
    keys: Keys
    entry: Mapping[str, Any]


def bound(scope: Scope) -> Iterator[Bound]:
    """The bindings of *scope* in the order of the table, variables and secrets last."""
    for path, (named, kind, targets) in LISTS.items():
        held: Any = scope.get(str(path[0]))
        for key in path[1:]:
            held = mapping(held).get(str(key))
        for at, entry in entries(held):
            if (name := text(entry, named)) is not None:
                target = next((found for key in targets if (found := text(entry, key))), None)
                yield Bound(name, kind, target, scope.keys_of(*path, at), entry)
    for key, kind in SINGLE.items():
        entry = mapping(scope.get(key))
        if (name := text(entry, "binding")) is not None:
            yield Bound(name, kind, None, scope.keys_of(key), entry)
    for name, value in mapping(scope.get("vars")).items():
        yield Bound(name, "plain_text" if isinstance(value, str) else "json", None, scope.keys_of("vars", name), {})
    required = mapping(scope.get("secrets")).get("required")
    for at, name in enumerate(required if isinstance(required, list) else []):
        if isinstance(name, str):
            yield Bound(name, "secret_text", None, scope.keys_of("secrets", "required", at), {})


def bindings(config: Configuration) -> list[Binding]:
    """Every binding of every scope of *config*."""
    return [
        Binding(
            name=each.name,
            type=each.type,
            target=each.target,
            environment=scope.environment,
            line=config.line(*each.keys),
        )
        for scope in config.scopes
        for each in bound(scope)
    ]
