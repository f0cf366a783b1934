"""Faults of Astro portals, each planted in a portal that has no other."""

import json
from typing import Any

from tests.workers.faults import JSONC, UUID, Fault

CONFIG = "astro.config.mjs"
ADAPTER = 'import cloudflare from "@astrojs/cloudflare";\nimport { defineConfig } from "astro/config";\n\n'
SERVER = ADAPTER + 'export default defineConfig({\n  output: "server",\n  adapter: cloudflare(),\n});\n'
STATIC = ADAPTER + "export default defineConfig({\n  adapter: cloudflare(),\n});\n"
METADATA = "export const GET = ({ url }) => Response.json({ issuer: url.origin });\n"
AUTHORIZE = "export const GET = ({ redirect }) => redirect('/login');\n"
TOKEN = "export const POST = async ({ request }) => Response.json(await request.json());\n"
OFF = "export const prerender = false;\n"
OAUTH = {
    "src/pages/oauth/authorize.ts": OFF + AUTHORIZE,
    "src/pages/oauth/token.ts": OFF + TOKEN,
    "src/pages/.well-known/oauth-authorization-server.ts": OFF + METADATA,
}
GATE = (
    'import { defineMiddleware } from "astro:middleware";\n'
    "export const onRequest = defineMiddleware((context, next) => {\n"
    "%s"
    "  return next();\n});\n"
)


def portal(config: str = SERVER, adapter: str = "^14.3.0", astro: str = "^7.2.0", wrangler: str = "^4.125.0", **keys: Any) -> dict[str, str]:  # fmt: skip
    """A portal without fault but for what is given."""
    values = {
        "name": "portal",
        "compatibility_date": "2026-09-01",
        "observability": {"enabled": True},
        "d1_databases": [{"binding": "DB", "database_name": "portal", "database_id": UUID}],
        **keys,
    }
    versions = {"@astrojs/cloudflare": adapter, "astro": astro, "wrangler": wrangler}
    package = {"name": "portal", "dependencies": {key: value for key, value in versions.items() if value}}
    return {JSONC: json.dumps(values, indent=2), CONFIG: config, "package.json": json.dumps(package, indent=2)}


ASTRO_FAULTS = [
    Fault("astro_adapter_missing", "output", portal("export default {\n  output: 'server',\n};\n"), CONFIG),
    Fault("astro_versions_differ", '"astro"', portal(astro="^5.0.0"), "package.json"),
    Fault("astro_versions_differ", '"wrangler"', portal(wrangler="^3.99.0"), "package.json"),
    Fault("astro_versions_differ", '"astro"', portal(adapter="^12.0.0"), "package.json"),
    Fault("astro_pages_dropped", "pages_build_output_dir", {
        **portal(pages_build_output_dir="dist"),
        JSONC: json.dumps({"name": "portal", "compatibility_date": "2026-09-01", "pages_build_output_dir": "dist"}, indent=1)}),
    Fault("astro_main_outdated", "main", portal(main="dist/_worker.js/index.js")),
    Fault("astro_assets_missing", None, portal(adapter="^12.0.0", astro="^5.0.0", main="dist/_worker.js/index.js")),
    Fault("astro_output_removed", "output", portal(SERVER.replace('"server"', '"hybrid"')), CONFIG),
    Fault("astro_option_removed", "workerEntryPoint", portal(SERVER.replace(
        "cloudflare()", "cloudflare({\n    workerEntryPoint: { path: 'src/w.ts' },\n  })")), CONFIG),
    Fault("astro_runtime_removed", "const {", {
        **portal(), "src/pages/index.astro": "---\n// Astro.locals.runtime was here\nconst { env } = Astro.locals.runtime;\n---\n"},
        "src/pages/index.astro"),
    Fault("astro_runtime_removed", "runtime", {
        **portal(), "src/pages/api/me.ts": "export const GET = ({ locals }) => {\n  const { runtime } = locals;\n};\n"},
        "src/pages/api/me.ts"),
    Fault("astro_runtime_removed", "runtime", {
        **portal(), "src/pages/api/me.ts": "export const GET = ({ locals: { user, runtime } }) => new Response(runtime.env.A);\n"},
        "src/pages/api/me.ts"),
    Fault("astro_prerendered", "prerender", {
        **portal(), **OAUTH, "src/pages/oauth/token.ts": "export const prerender = true;\n" + TOKEN}, "src/pages/oauth/token.ts"),
    Fault("astro_prerendered", "export", {
        **portal(STATIC), **OAUTH, "src/pages/oauth/authorize.ts": AUTHORIZE}, "src/pages/oauth/authorize.ts"),
    Fault("astro_prerendered", "export", {**portal(STATIC), "src/pages/api/me.ts": TOKEN}, "src/pages/api/me.ts"),
    Fault("astro_route_missing", "prerender", {
        **portal(), **{key: text for key, text in OAUTH.items() if "well-known" not in key}}, "src/pages/oauth/authorize.ts"),
    Fault("astro_route_missing", "prerender", {
        **portal(), **{key: text for key, text in OAUTH.items() if "token" not in key}}, "src/pages/oauth/authorize.ts"),
    Fault("astro_route_missing", "prerender", {
        **portal(), **OAUTH, "src/pages/mcp.ts": OFF + TOKEN}, "src/pages/oauth/authorize.ts"),
    Fault("astro_middleware_guards", "redirect", {**portal(), **OAUTH, "src/middleware.ts": GATE % (
        "  if (!context.locals.user) return context.redirect('/login');\n")}, "src/middleware.ts"),
    Fault("astro_middleware_guards", "401", {**portal(), **OAUTH, "src/middleware/index.js": GATE % (
        "  if (!PUBLIC.some((p) => context.url.pathname.startsWith(p)))\n    return new Response('', { status: 401 });\n")},
        "src/middleware/index.js"),
    Fault("handler_missing", "crons", portal(triggers={"crons": ["*/5 * * * *"]})),
    Fault("handler_missing", "crons", portal(main="@astrojs/cloudflare/entrypoints/server", triggers={"crons": ["*/5 * * * *"]})),
]  # fmt: skip
