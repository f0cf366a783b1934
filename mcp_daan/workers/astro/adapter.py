"""The adapter: its version against Astro and wrangler, and what it no longer knows."""

import re
from collections.abc import Iterator

from mcp_daan.workers.astro.project import PACKAGE, Project
from mcp_daan.workers.configuration.known import package_of
from mcp_daan.workers.configuration.reading import mapping, text
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Seen, line_of, numbers

# Which Astro each major version of the adapter is for.
ASTRO_OF = {9: 4, 10: 4, 11: 4, 12: 5, 13: 6, 14: 7}
# From this version on: Workers only, an entry of the adapter's own, `cloudflare:workers` in place of locals.runtime.
WORKERS_ONLY = 13
ENTRY = "@astrojs/cloudflare/entrypoints/server"
# Options that went with version 13, and what takes their place.
OPTIONS = {
    "workerEntryPoint": "Name your own file in `main` of the wrangler configuration; it imports the adapter's entry.",
    "cloudflareModules": "Remove it: modules such as .wasm are imported without it.",
    "platformProxy": "Remove it: `astro dev` runs in workerd and has the bindings.",
    "routes": "Remove it: `assets.run_worker_first` of the wrangler configuration takes its place.",
    "functionPerRoute": "Remove it.",
    "wasmModuleImports": "Remove it.",
}
# By name, or taken apart: `const { runtime } = locals`, `({ locals: { runtime } })`.
_RUNTIME = re.compile(
    r"\blocals\??\.runtime\b|\bruntime\b[^{};=]{0,200}\}\s*=\s*(?:\w+\.)*locals\b(?!\.)"
    r"|\blocals\s*:\s*\{[\w\s,]{0,200}\bruntime\b\s*[,}]"
)


def adapter_findings(project: Project) -> Iterator[Finding]:
    """What is wrong with the adapter and what depends on its version."""
    seen = project.seen
    if not project.adapter:
        yield from _absent(project)
        return
    adapter = seen.version(PACKAGE)
    yield from _output(project)
    if adapter is None:
        return
    yield from _versions(project, adapter)
    if adapter[0] >= WORKERS_ONLY:
        yield from _pages(seen)
        yield from _main(seen)
        yield from _options(project)
        yield from _runtime(seen)
    else:
        yield from _assets(seen)


def _absent(project: Project) -> Iterator[Finding]:
    needing = next((route for route in project.routes if route.prerender is False), None)
    if project.output == "server" or needing is not None:
        why = "`output` is `server`" if needing is None else f"{project.seen.shown(needing.file)} is not prerendered"
        yield found(
            "astro_adapter_missing",
            project.shown,
            f"{why}, and no adapter is named: `astro build` stops, for it cannot make a Worker.",
            'Run `npx astro add cloudflare`, or write: import cloudflare from "@astrojs/cloudflare"; … adapter: cloudflare().',
            line=project.output_line,
        )


def _output(project: Project) -> Iterator[Finding]:
    astro = project.seen.version("astro")
    if project.output == "hybrid" and (astro is None or astro[0] >= 5):
        yield found(
            "astro_output_removed",
            project.shown,
            "`output: 'hybrid'` is gone since Astro 5: `astro build` stops.",
            "Write `output: 'static'`, which does the same: routes with `export const prerender = false` are made at the"
            " request.",
            line=project.output_line,
        )


def _versions(project: Project, adapter: tuple[int, ...]) -> Iterator[Finding]:
    """The adapter against Astro and wrangler: by its own word where it is installed, else by our table."""
    seen = project.seen
    about = package_of(PACKAGE, seen.config.folder, seen.root)
    peers = {
        key: value for key, value in mapping((about or {}).get("peerDependencies")).items() if isinstance(value, str)
    }
    wanted = peers or {
        "astro": f"^{ASTRO_OF[adapter[0]]}" if adapter[0] in ASTRO_OF else "",
        "wrangler": "^4" if adapter[0] >= WORKERS_ONLY else "",
    }
    for package in ("astro", "wrangler"):
        needs, has = numbers(wanted.get(package, "")), seen.version(package)
        if needs is None or has is None:
            continue
        # A range in package.json may be met by something younger within its major version.
        exact = package_of(package, seen.config.folder, seen.root) is not None
        if has[0] != needs[0] or (exact and has < needs):
            manifest = seen.manifest or seen.workspace_manifest
            shown = ".".join(map(str, has))
            yield found(
                "astro_versions_differ",
                manifest.shown if manifest else project.shown,
                f"{PACKAGE} {'.'.join(map(str, adapter))} is for {package} {wanted[package]}, and the app has {shown}: the"
                " build fails, or makes a Worker that does.",
                f"Run `npx @astrojs/upgrade`, or write a version of `{package}` that fits {wanted[package]}.",
                line=manifest.line(package) if manifest else None,
            )  # fmt: skip


def _pages(seen: Seen) -> Iterator[Finding]:
    if "pages_build_output_dir" in seen.config.values:
        yield found(
            "astro_pages_dropped",
            seen.config.shown,
            f"`pages_build_output_dir` makes it a Pages project, and {PACKAGE} {WORKERS_ONLY} and later build for Workers"
            " only: what is deployed to Pages answers nothing.",
            f'Remove `pages_build_output_dir`, write "main": "{ENTRY}", and deploy with `wrangler deploy`.',
            line=seen.config.line("pages_build_output_dir"),
        )


def _main(seen: Seen) -> Iterator[Finding]:
    for scope in seen.config.scopes:
        main = text(scope.own, "main") or ""
        if re.search(r"_worker\.js|(?:^|/)dist/", main):
            yield found(
                "astro_main_outdated",
                seen.config.shown,
                f"`main` names {name(main)}, the output of an adapter before {WORKERS_ONLY}: the build fails or deploys what an"
                " old build left there.",
                seen.config.written(scope, "main", ENTRY),
                line=seen.config.line(*scope.prefix, "main"),
            )


def _options(project: Project) -> Iterator[Finding]:
    options, start = project.adapter_options
    for option, instead in OPTIONS.items():
        match = re.search(rf"(?<![\w$.]){option}\s*:", options)
        if match:
            yield found(
                "astro_option_removed",
                project.shown,
                f"The adapter's option `{option}` is gone since version {WORKERS_ONLY}: it has no effect.",
                instead,
                line=line_of(project.code, start + match.start()),
            )


def _runtime(seen: Seen) -> Iterator[Finding]:
    """The first use in each file."""
    for file in seen.sources:
        code = seen.code(file)
        match = _RUNTIME.search(code)
        if match:
            yield found(
                "astro_runtime_removed",
                seen.shown(file),
                f"`locals.runtime` is gone since {PACKAGE} {WORKERS_ONLY}: reading it throws, and the page answers 500.",
                'Write import { env } from "cloudflare:workers" and use `env`; for `ctx` use `locals.cfContext`, for `cf`'
                " `request.cf`.",
                line=line_of(code, match.start()),
            )


def _assets(seen: Seen) -> Iterator[Finding]:
    """Adapters before 13 leave the static files to the configuration."""
    config = seen.config
    if "pages_build_output_dir" in config.values or not text(config.values, "main") or config.values.get("assets"):
        return
    yield found(
        "astro_assets_missing",
        config.shown,
        "There is a `main` and no `assets`: stylesheets, scripts and images of the site answer 404.",
        config.written(config.scopes[0], "assets", {"directory": "./dist", "binding": "ASSETS"}),
    )
