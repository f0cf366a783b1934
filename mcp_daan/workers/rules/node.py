"""Whether the Node that the app asks for can run its wrangler; told from files, no program is run."""

import re
from collections.abc import Iterator

from mcp_daan.workers.configuration.reading import mapping
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Manifest, Seen, numbers

_PINNED = (".nvmrc", ".node-version")
_NEWEST = ("latest", "*")
# Old code names people write in .nvmrc.
_NAMES = {"argon": 4, "boron": 6, "carbon": 8, "dubnium": 10, "erbium": 12, "fermium": 14, "gallium": 16, "hydrogen": 18, "iron": 20, "jod": 22}  # fmt: skip


def node_findings(seen: Seen) -> Iterator[Finding]:
    """Each place that fixes a Node which is too old."""
    needs = _needed(seen)
    if needs is None:
        return
    for path, line, written, highest in _fixed(seen):
        if highest < needs:
            needed = ".".join(map(str, needs))
            yield found(
                "node_too_old",
                path,
                f"{name(written)} is a Node before {needed}, which wrangler {_wrangler(seen)} needs: it stops at its start.",
                f"Write {needed} or later, such as 24.",
                line=line,
            )


def _needed(seen: Seen) -> tuple[int, ...] | None:
    """The least Node of the wrangler that the app would use; None for one of before version 4, or unknown."""
    if seen.known.installed:
        return numbers(seen.known.node)
    asked = seen.wanted("wrangler")
    # Where none is named, `npx wrangler` fetches the newest; Pages projects may be built without it.
    if asked in _NEWEST or (asked is None and "pages_build_output_dir" not in seen.config.values):
        return numbers(seen.known.node)
    wanted = numbers(asked or "")
    ours = numbers(seen.known.version) or ()
    # What the app asks for with a caret becomes the newest of its major version.
    return numbers(seen.known.node) if wanted and wanted[0] == ours[0] else None


def _wrangler(seen: Seen) -> str:
    return seen.known.version if seen.known.installed else f"4 (as of {seen.known.version})"


def _fixed(seen: Seen) -> Iterator[tuple[str, int | None, str, tuple[int, ...]]]:
    """(file, line, what is written, the newest Node that it allows) for each place that fixes one."""
    folders = [
        folder for folder in (seen.config.folder, *seen.config.folder.parents) if folder.is_relative_to(seen.root)
    ]
    for file in _PINNED:
        path = next((folder / file for folder in folders if (folder / file).is_file()), None)
        written = seen.code(path).strip() if path else ""
        highest = _pinned(written)
        if path and highest:
            yield seen.shown(path), 1, written, highest
    for manifest in (seen.manifest, seen.workspace_manifest):
        if manifest is not None:
            yield from _of_manifest(manifest)


def _of_manifest(manifest: Manifest) -> Iterator[tuple[str, int | None, str, tuple[int, ...]]]:
    for group, highest_of in (("engines", _highest), ("volta", _pinned)):
        written = mapping(manifest.values.get(group)).get("node")
        highest = highest_of(written) if isinstance(written, str) else None
        if highest:
            yield manifest.shown, manifest.places.line((group, "node")), str(written), highest


def _pinned(written: str) -> tuple[int, ...] | None:
    """The newest Node that a file such as .nvmrc allows: `20`, `v20.11`, `lts/iron`."""
    word = written.removeprefix("lts/").lower()
    if word in _NAMES:
        return (_NAMES[word], 999, 999)
    match = re.fullmatch(r"v?(\d{1,3})(?:\.(\d{1,3}|x))?(?:\.(\d{1,3}|x))?", word)
    return tuple(int(each) if each and each != "x" else 999 for each in match.groups()) if match else None


def _highest(range_: str) -> tuple[int, ...] | None:
    """The newest Node that a range of package.json allows; None where it has no upper end, or cannot be read."""
    highest: tuple[int, ...] = ()
    for choice in range_.split("||"):
        ends = [end for part in choice.replace(" - ", " <=").split() if (end := _end(part)) is not None]
        if not ends:
            return None
        highest = max(highest, min(ends))
    return highest or None


def _end(part: str) -> tuple[int, ...] | None:
    match = re.fullmatch(r"(<=|<|\^|~|=|v|)v?(\d{1,3})(?:\.(\d{1,3}|x|\*))?(?:\.(\d{1,3}|x|\*))?", part)
    if match is None:
        return None
    sign, *written = match.groups()
    values = [int(each) if each and each.isdigit() else None for each in written]
    if sign == "<":
        # Before 22 is 21.999 at most.
        exact = tuple(each or 0 for each in values)
        return (exact[0] - 1, 999, 999) if exact[1:] == (0, 0) else (exact[0], exact[1] - 1, 999)
    if sign == "^":
        return (values[0] or 0, 999, 999)
    if sign == "~":
        return (values[0] or 0, 999 if values[1] is None else values[1], 999)
    return tuple(999 if each is None else each for each in values)
