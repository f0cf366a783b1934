"""One workspace for each fault that the check must find, each otherwise without fault."""

import json
from dataclasses import dataclass, field
from typing import Any

WORKER = "export default {\n  fetch: () => new Response('ok'),\n};\n"
UUID = "55f0c1de-0005-4a6e-9d2a-3a0c5f6b7d85"
OTHER = "66f0c1de-0006-4a6e-9d2a-3a0c5f6b7d86"
HEX = "00aabbccddeeff112233445566778899"
D1 = {"binding": "DB", "database_name": "data", "database_id": UUID}
BASE: dict[str, Any] = {
    "name": "api",
    "main": "src/index.ts",
    "compatibility_date": "2026-09-01",
    "observability": {"enabled": True},
}
JSONC = "wrangler.jsonc"
TOML = 'name = "api"\nmain = "src/index.ts"\ncompatibility_date = "2026-09-01"\nobservability = { enabled = true }\n'


@dataclass(frozen=True)
class Fault:
    """What is planted: the files, the finding's code and path, and a text of its line (None: it has none)."""

    code: str
    at: str | None
    files: dict[str, str]
    path: str = JSONC
    refused: bool | None = None
    also: tuple[str, ...] = ()
    daan: str = ""
    name: str = field(default="")

    @property
    def line(self) -> int | None:
        """The line of the finding."""
        if self.at is None:
            return None
        lines = self.files[self.path].split("\n")
        return next(number for number, line in enumerate(lines, 1) if self.at in line)


def worker(_code: str = WORKER, _without: tuple[str, ...] = (), **keys: Any) -> dict[str, str]:
    """A Worker that has no fault but what *keys* add, or what is left out."""
    values = {**{key: value for key, value in BASE.items() if key not in _without}, **keys}
    return {JSONC: json.dumps(values, indent=2), "src/index.ts": _code}


def jsonc(code: str, at: str | None, *, refused: bool | None = None, also: tuple[str, ...] = (), **keys: Any) -> Fault:
    """A fault in the keys of a wrangler.jsonc; *refused*: whether wrangler refuses the file too."""
    return Fault(code, at, worker(**keys), refused=refused, also=also)


def toml(code: str, at: str | None, lines: str, *, refused: bool | None = None, base: str = TOML) -> Fault:
    """The same in a wrangler.toml."""
    return Fault(code, at, {"wrangler.toml": base + lines, "src/index.ts": WORKER}, "wrangler.toml", refused)


def with_files(code: str, at: str | None, path: str, files: dict[str, str], **keys: Any) -> Fault:
    """A fault that shows in another file."""
    given = worker(**keys)
    return Fault(code, at, {**given, **files}, path)


def pack(**keys: Any) -> str:
    """A package.json."""
    return json.dumps({"name": "api", **keys}, indent=2)


ENV = {"production": {"d1_databases": [{**D1, "database_id": OTHER}]}}
OBJECTS = {"bindings": [{"name": "ROOMS", "class_name": "Room"}]}
ROOM = "export class Room {}\n" + WORKER
REDIRECT = ".wrangler/deploy/config.json"
SECRET = "correct-horse-battery"

FILES_FAULTS = [
    Fault("config_unreadable", '"main"', {JSONC: '{\n  "name": "api"\n  "main": "x"\n}\n'}, also=("hole",)),
    Fault("config_unreadable", "main = ", {"wrangler.toml": 'name = "api"\nmain = \n'}, "wrangler.toml", also=("hole",)),
    with_files("config_shadowed", None, "wrangler.toml", {"wrangler.toml": 'name = "old"\n'}),
    Fault("config_shadowed", None, {**worker(), "wrangler.json": json.dumps(BASE)}),
    with_files("config_redirect_broken", None, REDIRECT, {REDIRECT: "{"}),
    with_files("config_redirect_broken", "{", REDIRECT, {REDIRECT: '{"other": 1}'}),
    with_files("config_redirect_broken", "{", REDIRECT, {REDIRECT: '{"configPath": "../../gone.json"}'}),
    with_files("config_redirect_broken", "{", REDIRECT, {REDIRECT: '{"configPath": "../../../../../../etc/passwd"}'}),
    with_files(
        "config_redirect_broken",
        "env",
        "made/wrangler.json",
        {REDIRECT: '{"configPath": "../../made/wrangler.json"}', "made/wrangler.json": json.dumps({**BASE, "env": {"x": {}}})},
    ),
    with_files(
        "config_redirect_stale",
        None,
        "made/wrangler.json",
        {REDIRECT: '{"configPath": "../../made/wrangler.json"}', "made/wrangler.json": json.dumps(BASE)},
        kv_namespaces=[{"binding": "NEW", "id": HEX}],
    ),
    with_files(
        "schema_unreadable",
        None,
        "node_modules/wrangler/config-schema.json",
        {"node_modules/wrangler/config-schema.json": "{", "node_modules/wrangler/package.json": "{}"},
    ),
    with_files("name_twice", '"name"', "b/wrangler.jsonc", {f"b/{path}": text for path, text in worker().items()}),
]  # fmt: skip

KEY_FAULTS = [
    jsonc("key_unknown", "compatibilty_flags", compatibilty_flags=["nodejs_compat"], refused=False),
    jsonc("key_unknown", "databse_id", d1_databases=[{"binding": "DB", "databse_id": UUID}], refused=False),
    jsonc("key_unknown", "kv_namespace", env={"production": {"kv_namespace": []}}, refused=False),
    toml("key_unknown", "[observabilty]", "[observabilty]\nenabled = true\n", refused=False),
    jsonc("key_removed", "node_compat", node_compat=True, refused=True),
    jsonc("key_removed", "legacy_env", legacy_env=True, refused=True),
    jsonc("key_removed", "usage_model", usage_model="bundled", refused=False),
    toml("key_removed", 'type = "webpack"', 'type = "webpack"\n', refused=False),
    toml("key_removed", "zone_id", 'zone_id = "abc"\n', refused=False),
    toml("key_removed", "webpack_config", 'webpack_config = "webpack.config.js"\n', refused=False),
    toml("key_removed", "kv-namespaces", '[[kv-namespaces]]\nbinding = "KV"\n', refused=False),
    jsonc("key_deprecated", "entry-point", site={"bucket": "public", "entry-point": "src"}, also=("key_deprecated",)),
    toml("key_deprecated", "site", '[site]\nbucket = "./public"\n'),
    jsonc("key_deprecated", '"pipeline"', pipelines=[{"binding": "P", "pipeline": "x"}]),
    jsonc("key_missing", "    {", services=[{"binding": "A"}], refused=True),
    jsonc("value_type", "minify", minify="yes", refused=True),
    jsonc("value_type", "d1_databases", d1_databases={"binding": "DB"}, refused=True),
    toml("value_type", "compatibility_date", "compatibility_date = 2026-09-01\n", refused=True,
         base='name = "api"\nmain = "src/index.ts"\nobservability = { enabled = true }\n'),
    jsonc("value_unknown", "compliance_region", compliance_region="mars", refused=True),
    jsonc("value_unknown", "mode", placement={"mode": "clever"}, refused=True),
    Fault("key_twice", '"name": "b"', {JSONC: json.dumps(BASE)[:-1] + ',\n"name": "b"}', "src/index.ts": WORKER}),
]  # fmt: skip

DATE_FAULTS = [
    jsonc("compatibility_date_missing", None, _without=("compatibility_date",)),
    jsonc("compatibility_date_future", "compatibility_date", compatibility_date="2026-11-23"),
    jsonc("compatibility_date_old", "compatibility_date", compatibility_date="2025-01-01"),
    jsonc("value_unknown", "compatibility_date", compatibility_date="last week", refused=True),
    jsonc("compatibility_flags_conflict", "flags", compatibility_flags=["nodejs_compat", "no_nodejs_compat"]),
    jsonc("compatibility_flags_conflict", "flags", compatibility_flags=["nodejs_compat"], compatibility_date="2024-01-01",
          also=("compatibility_date_old",)),
]  # fmt: skip

ENVIRONMENT_FAULTS = [
    jsonc("env_not_inherited", "production", d1_databases=[D1], env={"production": {}}),
    jsonc("env_not_inherited", "production", vars={"A": "1"}, env={"production": {"routes": ["a.example.com/*"]}}),
    jsonc("env_not_inherited", '    "production": {\n'.strip(), queues={"producers": [{"binding": "Q", "queue": "q"}]}, env=ENV),
    toml("env_not_inherited", "[env.production]",
         f'[env.production]\nname = "live"\n[[kv_namespaces]]\nbinding = "KV"\nid = "{HEX}"\n'),
    jsonc("env_not_inherited", '      "vars"', vars={"A": "1", "B": "2"}, env={"production": {"vars": {"A": "3"}}}),
    jsonc("env_binding_missing", '      "d1_databases"', d1_databases=[D1, {"binding": "LOGS"}], env=ENV),
    with_files("env_not_named", "deploy", "package.json", {"package.json": pack(scripts={"deploy": "wrangler deploy"})}, env=ENV),
    jsonc("binding_twice", '"binding": "DB",', kv_namespaces=[{"id": HEX, "binding": "DB"}], d1_databases=[D1], refused=True),
]  # fmt: skip

DATABASE_FAULTS = [
    jsonc("id_placeholder", "database_id", d1_databases=[{"binding": "DB", "database_id": "your-database-id"}]),
    jsonc("id_placeholder", "database_id", d1_databases=[{"binding": "DB", "database_id": UUID.replace("5", "0").translate({ord(c): "0" for c in "123456789abcdef"})}]),
    jsonc("id_placeholder", '"id"', kv_namespaces=[{"binding": "KV", "id": "<KV_ID>"}]),
    toml("id_placeholder", "database_id", '[[d1_databases]]\nbinding = "DB"\ndatabase_id = "TODO"\n'),
    jsonc("database_shared", '          "database_id"', d1_databases=[D1], env={"production": {"d1_databases": [D1]}}),
    jsonc("database_preview_id", "preview_database_id", d1_databases=[{**D1, "preview_database_id": OTHER}]),
    jsonc("migrations_dir_missing", "migrations_dir", d1_databases=[{**D1, "migrations_dir": "db/migrations"}]),
    Fault("migrations_dir_missing", "        {", {**worker(
        d1_databases=[{**D1, "migrations_dir": "db"}], env=ENV), "db/0001.sql": ""}),
]  # fmt: skip

SECRET_FAULTS = [
    jsonc("secret_in_config", "JWT_SECRET", vars={"JWT_SECRET": SECRET}),
    jsonc("secret_in_config", "CONFIG_LINE", vars={"CONFIG_LINE": "ghp_" + "a1B2" * 9}),
    jsonc("secret_in_config", "DATABASE_URL", vars={"DATABASE_URL": f"postgres://app:{SECRET}@db.example.com/app"}),
    jsonc("secret_in_config", "apiKey", vars={"MAIL": {"apiKey": SECRET}}),
    toml("secret_in_config", "TOKEN_ENCRYPTION_KEY", f'[env.live.vars]\nTOKEN_ENCRYPTION_KEY = "{SECRET}"\n'),
    jsonc("secret_in_config", "localConnectionString", hyperdrive=[
        {"binding": "PG", "id": HEX, "localConnectionString": f"postgres://app:{SECRET}@db.example.com/app"}]),
]  # fmt: skip

RUNNING_FAULTS = [
    jsonc("observability_absent", None, _without=("observability",)),
    jsonc("observability_absent", "observability", observability={"enabled": False}),
    jsonc("limit_exceeded", "cpu_ms", limits={"cpu_ms": 300_001}),
    jsonc("limit_exceeded", "max_batch_size", queues={"consumers": [{"queue": "q", "max_batch_size": 101}]},
          _code=WORKER + "export const queue = 1;"),
    jsonc("limit_exceeded", "head_sampling_rate", observability={"enabled": True, "head_sampling_rate": 10}),
    jsonc("limit_exceeded", "LONG", vars={"LONG": "x" * 5001}),
    jsonc("limit_exceeded", "vars", vars={f"V{number}": "x" for number in range(129)}),
    jsonc("durable_object_undeclared", '      {', durable_objects=OBJECTS, _code=ROOM),
    jsonc("durable_object_undeclared", '      {', durable_objects=OBJECTS, _code=ROOM,
          migrations=[{"tag": "v1", "new_sqlite_classes": ["Room"]}, {"tag": "v2", "deleted_classes": ["Room"]}]),
    jsonc("durable_object_two_ways", "exports", durable_objects=OBJECTS, _code=ROOM, refused=True,
          migrations=[{"tag": "v1", "new_sqlite_classes": ["Room"]}],
          exports={"Room": {"type": "durable-object", "storage": "sqlite"}}),
    jsonc("class_not_exported", "class_name", durable_objects=OBJECTS,
          exports={"Room": {"type": "durable-object", "storage": "sqlite"}}, _code="class Room {}\n" + WORKER),
    jsonc("class_not_exported", "class_name", workflows=[{"name": "w", "binding": "W", "class_name": "Flow"}],
          _code="export { Flow as Stream } from './flow';\nexport class FlowX {}\n// export class Flow\n" + WORKER),
    jsonc("handler_missing", "crons", triggers={"crons": ["*/5 * * * *"]}, _code="// scheduled\n" + WORKER),
    jsonc("handler_missing", "consumers", queues={"consumers": [{"queue": "q"}]}),
    jsonc("main_missing", "main", main="src/indx.ts"),
    jsonc("main_missing", None, _without=("main",)),
    jsonc("assets_exposed", '"assets"', assets={"directory": "."}),
    Fault("assets_exposed", '"assets"', {**worker(assets={"directory": "public"}), "public/_worker.js": WORKER}),
    jsonc("assets_without_main", '"binding"', _without=("main",), assets={"directory": "public", "binding": "ASSETS"}),
    jsonc("cron_invalid", "@hourly", triggers={"crons": ["@hourly"]}, _code=WORKER + "export function scheduled() {}"),
    jsonc("pages_unsupported", '"minify"', pages_build_output_dir="out", minify=True, _without=("main",)),
    jsonc("pages_unsupported", '"triggers"', pages_build_output_dir="out", triggers={"crons": ["0 * * * *"]}, _without=("main",)),
    jsonc("pages_unsupported", '"main"', pages_build_output_dir="out"),
    jsonc("pages_unsupported", '"staging"', pages_build_output_dir="out", env={"staging": {}}, _without=("main",)),
    jsonc("key_missing", None, pages_build_output_dir="out", _without=("main", "name")),
    with_files("node_too_old", "20", ".nvmrc", {".nvmrc": "20\n", "package.json": pack(devDependencies={"wrangler": "^4.1.0"})}),
    with_files("node_too_old", "v20", ".nvmrc", {".nvmrc": "v20.20.2\n"}),
    with_files("node_too_old", '"node"', "package.json",
               {"package.json": pack(devDependencies={"wrangler": "latest"}, volta={"node": "20.1.0"})}),
    with_files("node_too_old", '"node"', "package.json",
               {"package.json": pack(devDependencies={"wrangler": "^4.1.0"}, engines={"node": ">=18 <22"})}),
]  # fmt: skip

LOOP = "CREATE TABLE connections (id INTEGER PRIMARY KEY, refresh_token_enc TEXT);\n"
CRON_CODE = WORKER + "export function scheduled() {}"
LOOP_FAULTS = [
    Fault("cron_slower_than_loop", "crons", {
        **worker(_code=CRON_CODE, d1_databases=[{**D1, "migrations_dir": "db"}], triggers={"crons": ["0 * * * *"]}),
        "db/0001.sql": LOOP}),
    Fault("cron_missing", None, {**worker(d1_databases=[{**D1, "migrations_dir": "db"}]), "db/0001.sql": LOOP},
          daan="[tokens]\nperiod_seconds = 300\n"),
]  # fmt: skip
