"""How large the Worker is that a build has made, against what Cloudflare takes."""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from mcp_daan.limits import AS_OF, LIMITS
from mcp_daan.protocol import Model
from mcp_daan.workers.configuration.reading import mapping, text
from mcp_daan.workers.finding import Finding, found
from mcp_daan.workers.seen import Seen

# What is uploaded of a build; maps, settings and notes are not.
MODULES = frozenset({".js", ".mjs", ".cjs", ".wasm", ".bin", ".txt", ".html", ".sql", ".py"})
LARGEST = 5
MOST_PARTS = 5000
# More is not compressed: it would take seconds.
MOST_COMPRESSED = 32 * 2**20
NEAR = 0.9
# What `wrangler deploy --outdir` writes beside the bundle.
_README = "This folder contains the built output assets for the worker"
_OUTDIR = re.compile(r"--outdir[= ]+[\"']?([\w./-]+)")


class Part(Model):
    """One file of a bundle."""

    path: str
    bytes: int


class Bundle(Model):
    """A build's output: what would be uploaded, and its largest parts."""

    path: str
    bytes: int
    gzip_bytes: int | None
    limit_bytes: int
    parts: int
    largest: list[Part]


def bundle_of(seen: Seen) -> Bundle | None:
    """The bundle that the last build left; None where there is none."""
    for place in _places(seen):
        resolved = seen.inside(place)
        if resolved is None or not resolved.exists():
            continue
        files = list(_files(resolved))
        if files:
            return _measured(seen, resolved, files)
    return None


def bundle_findings(seen: Seen, bundle: Bundle | None) -> Iterator[Finding]:
    """A bundle over the limit, or near it."""
    if bundle is None or bundle.bytes <= bundle.limit_bytes * NEAR:
        return
    over = bundle.bytes > bundle.limit_bytes
    limit = LIMITS["worker_size"]
    yield found(
        "bundle_too_large",
        bundle.path,
        f"The Worker takes {bundle.bytes} bytes uncompressed; the limit is {limit.today} ({AS_OF}, {limit.source})"
        + (": Cloudflare refuses it." if over else "."),
        f"Begin with its largest parts: {', '.join(part.path for part in bundle.largest)}; move data to R2, KV or static"
        " assets, and set `minify`.",
        severity="error" if over else "warning",
    )


def _places(seen: Seen) -> Iterator[Path]:
    """Where a build may have put the Worker, the likeliest first."""
    folder, made = seen.config.folder, seen.redirected
    if made is not None:
        main = text(made.values, "main")
        # Without bundling everything beside the entry is uploaded with it.
        if main and made.values.get("no_bundle"):
            yield Path(made.folder, main).parent
        elif main:
            yield Path(made.folder, main)
    pages = text(seen.config.values, "pages_build_output_dir")
    if pages:
        yield Path(folder, pages, "_worker.js")
    manifest = seen.manifest
    for command in manifest.scripts.values() if manifest else ():
        for outdir in _OUTDIR.findall(command):
            yield Path(folder, outdir)
    for child in sorted(folder.iterdir()):
        readme = child / "README.md"
        if child.is_dir() and not child.is_symlink() and readme.is_file() and _README in seen.code(readme):
            yield child
    main = text(mapping(seen.config.values), "main") or ""
    if "_worker.js" in main:
        yield Path(folder, main.split("_worker.js")[0], "_worker.js")
    temporary = folder / ".wrangler" / "tmp"
    if temporary.is_dir():
        yield from sorted(temporary.iterdir(), key=lambda each: each.lstat().st_mtime, reverse=True)


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    count = 0
    for path in sorted(place.rglob("*")):
        hidden = any(part.startswith(".") or part == "node_modules" for part in path.relative_to(place).parts)
        if not hidden and path.suffix in MODULES and path.is_file() and not path.is_symlink():
            count += 1
            if count > MOST_PARTS:
                return
            yield path


def _measured(seen: Seen, place: Path, files: list[Path]) -> Bundle:
    sizes = {path: path.stat().st_size for path in files}
    total = sum(sizes.values())
    top = place if place.is_dir() else place.parent
    largest = sorted(sizes, key=lambda path: (-sizes[path], path))[:LARGEST]
    return Bundle(
        path=seen.shown(place),
        bytes=total,
        gzip_bytes=_compressed(files) if total <= MOST_COMPRESSED else None,
        limit_bytes=int(LIMITS["worker_size"].most),
        parts=len(files),
        largest=[Part(path=path.relative_to(top).as_posix(), bytes=sizes[path]) for path in largest],
    )


def _compressed(files: list[Path]) -> int:
    """The bytes of all together as gzip makes them."""
    gzip = zlib.compressobj(wbits=31)
    size = 0
    for path in files:
        size += len(gzip.compress(path.read_bytes()))
    return size + len(gzip.flush())
