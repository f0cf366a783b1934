"""The files that a configuration names: the entry file with its handlers, and the static assets."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mcp_daan.limits import AS_OF, LIMITS
from mcp_daan.workers.configuration.reading import entries, mapping, text
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import CODE, Seen

# What a build makes; before it, nothing is there yet.
BUILT = frozenset({"dist", "build", "out", "output", "target", "public-build", "_site", "storybook-static"})
# More files than any plan allows are not counted on.
MOST_FILES = 110_000


def entry_of(seen: Seen) -> Path | None:
    """The file of `main`; None where it is absent, a package's, a build's, or outside the workspace."""
    main = text({"main": seen.config.deployed.get("main")}, "main")
    place = seen.inside(main) if main else None
    return place if place is not None and place.is_file() and not _built(main or "") else None


def file_findings(seen: Seen) -> Iterator[Finding]:
    """What is wrong with `main`, handlers and `assets`."""
    if seen.kind != "pages":
        yield from _main(seen)
        yield from _handlers(seen)
    yield from _assets(seen)


def _main(seen: Seen) -> Iterator[Finding]:
    config, scope = seen.config, seen.config.deployed
    main = text({"main": scope.get("main")}, "main")
    if main is None:
        if (
            not any(scope.get(key) for key in ("assets", "site", "main"))
            and seen.kind == "worker"
            and not _tooled(seen)
        ):
            yield found(
                "main_missing",
                config.shown,
                "There is neither `main` nor `assets`: wrangler finds nothing to deploy.",
                config.written(scope, "main", "src/index.ts"),
                # It may be there for tests or types only.
                severity="warning",
            )
        return
    place = seen.inside(main)
    if place is None or place.exists() or not _path(main) or _built(main) or mapping(scope.get("build")).get("command"):
        return
    yield found(
        "main_missing",
        config.shown,
        f"`main` names {name(main)}, which is not there: wrangler stops.",
        f"Correct `main`; it is relative to {config.path.name}.",
        line=config.line(*scope.keys_of("main")),
    )


def _tooled(seen: Seen) -> bool:
    """Whether a build tool, or Pages by its folder of functions, fills in what the file leaves out."""
    folder = seen.config.folder
    return seen.redirected is not None or any(folder.glob("vite.config.*")) or (folder / "functions").is_dir()


def _path(main: str) -> bool:
    """Whether *main* is a path rather than the name of a package's entry."""
    return main.endswith(CODE) or main.startswith(".")


def _built(main: str) -> bool:
    parts = [part for part in re.split(r"[/\\]", main) if part not in ("", ".", "..")]
    return any(part in BUILT or part.startswith(".") or part == "_worker.js" for part in parts)


def _handlers(seen: Seen) -> Iterator[Finding]:
    """Triggers for which no source file has a handler."""
    scope = seen.config.deployed
    triggers = mapping(scope.get("triggers")).get("crons")
    consumers = [
        each for _, each in entries(mapping(scope.get("queues")).get("consumers")) if each.get("type") != "http_pull"
    ]
    for what, keys, handler in (
        (triggers, ("triggers", "crons"), "scheduled"),
        (consumers, ("queues", "consumers"), "queue"),
    ):
        main = text({"main": scope.get("main")}, "main") or ""
        if not what or _handled(seen, main, handler):
            continue
        yield found(
            "handler_missing",
            seen.config.shown,
            f"`{'.'.join(keys)}` calls the Worker, and no source file has a `{handler}` handler: each call fails.",
            f"Export it from the entry file: `export default {{ fetch, async {handler}(…) {{ … }} }}`"
            + (", in a file of your own that `main` names." if not _path(main) else "."),
            line=seen.config.line(*scope.keys_of(*keys)),
        )  # fmt: skip


def _handled(seen: Seen, main: str, handler: str) -> bool:
    """Whether *handler* may be there: it is named in the sources, or the code cannot be seen."""
    if main and not _path(main):
        return not main.startswith("@astrojs/cloudflare")
    if not main and seen.kind != "astro":
        return True
    files = seen.sources
    if entry_of(seen) is None and not files:
        return True
    if main and entry_of(seen) is None:
        return True
    word = re.compile(rf"(?<![\w$.]){handler}(?![\w$])|\bon{handler.capitalize()}\b|\bon_{handler}\b")
    return any(word.search(seen.code(file)) for file in files)


def _assets(seen: Seen) -> Iterator[Finding]:
    config = seen.config
    for scope in config.scopes:
        assets = mapping(scope.own.get("assets"))
        directory = text(assets, "directory")
        line = config.line(*scope.prefix, "assets")
        if not scope.get("main") and seen.kind == "worker" and not _tooled(seen):
            for key in ("binding", "run_worker_first"):
                if assets.get(key):
                    yield found(
                        "assets_without_main",
                        config.shown,
                        f"`assets.{key}` is for code, and there is no `main`: wrangler refuses the file.",
                        f"Remove `assets.{key}`, or name the entry file in `main`.",
                        line=config.line(*scope.prefix, "assets", key),
                    )
        place = seen.inside(directory) if directory else None
        if place is not None and place.is_dir():
            yield from _exposed(seen, place, line)
            yield from _too_many(seen, place, line)


def _exposed(seen: Seen, place: Path, line: int | None) -> Iterator[Finding]:
    """Assets that hold what nobody may fetch."""
    if (place / ".assetsignore").exists():
        return
    folder = seen.config.folder.resolve()
    whole = place == folder or place in folder.parents
    if not whole and not (place / "_worker.js").exists():
        return
    what = (
        "the app's whole folder, with its source and its configuration" if whole else "`_worker.js`, the server's code"
    )
    yield found(
        "assets_exposed",
        seen.config.shown,
        f"`assets.directory` holds {what}: it is uploaded, and served to everyone.",
        "Name the folder of public files only." if whole else "Write `_worker.js` in a file `.assetsignore` in that folder.",
        line=line,
    )  # fmt: skip


def _too_many(seen: Seen, place: Path, line: int | None) -> Iterator[Finding]:
    """More files, or larger ones, than Cloudflare serves."""
    count = 0
    largest: tuple[int, str] = (0, "")
    for folder, _, files in os.walk(place):
        for file in files:
            count += 1
            try:
                size = Path(folder, file).lstat().st_size
            except OSError:
                continue
            largest = max(largest, (size, file))
        if count > MOST_FILES:
            break
    checks = (
        ("asset_files", count, f"`assets.directory` holds {count} files or more"),
        ("asset_size", largest[0], f"The asset {name(largest[1])} takes {largest[0]} bytes"),
    )
    for key, value, says in checks:
        if value > LIMITS[key].most:
            limit = LIMITS[key]
            yield found(
                "limit_exceeded",
                seen.config.shown,
                f"{says}; the limit is {limit.today} ({AS_OF}, {limit.source}): wrangler refuses the deployment.",
                "Move large files to R2, and keep what is not served out of the folder.",
                line=line,
            )
