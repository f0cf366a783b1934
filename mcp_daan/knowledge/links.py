"""Links and cited paths that lead nowhere."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from mcp_daan.knowledge.base import SCHEME, SUFFIXES, KnowledgeBase
from mcp_daan.knowledge.findings import Finding, finding
from mcp_daan.knowledge.passages import Document, Span
from mcp_daan.knowledge.sentences import sentences, speaks_of_absence
from mcp_daan.workspace import PASSED_OVER

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
# A path in code, as people cite files: folders, no blanks, no pattern, no placeholder, maybe a line behind it.
_CITED = re.compile(r"(?:\./)?(?P<path>[\w.-]+(?:/[\w.\[\]-]+)+)/?(?::\d+(?:-\d+)?)?")
_FILE_ENDINGS = set(
    "md mdx ts tsx js jsx mjs cjs json jsonc toml sql py sh yml yaml csv html css astro svelte vue".split()
)
_PLACEHOLDER = re.compile(
    r"(?i)(?:^|/)(?:\.\.\.|xxx+|path|your[-_]\w+|my[-_]\w+|foo|example|voorbeeld|nnnn?)(?:[./]|$)|nnnn|xxxx|yyyy"
)


@dataclass
class LinkCheck:
    """Tells which links and paths lead nowhere; what stands on disk and in documents is looked at once."""

    base: KnowledgeBase
    headings: Callable[[Path], set[str]]
    _there: dict[Path, bool] = field(default_factory=dict)

    def findings(self, path: Path, document: Document) -> Iterator[Finding]:
        """The links, images and cited paths of *document*, which stands at *path*, that lead nowhere."""
        name = self.base.relative(path)
        for prose in (prose for block in document.today for prose in block.texts):
            for sentence in sentences(prose):
                absent = speaks_of_absence("".join(span.text for span in sentence))
                for span in sentence:
                    wrong = self._wrong(span, path, absent=absent)
                    if wrong is not None:
                        yield finding("broken_link", name, wrong, line=span.line)

    def _wrong(self, span: Span, path: Path, *, absent: bool) -> str | None:
        if span.kind in ("link", "image"):
            return self._link(span, path)
        if span.kind == "code" and not span.target and not absent and self.base.origin == "workspace":
            found = _CITED.fullmatch(span.text)
            if found and self._cited_in_vain(found["path"], path):
                return f"`{found['path']}` is named here, but there is no such file."
        return None

    def _link(self, span: Span, path: Path) -> str | None:
        target = span.target
        if target.startswith(SCHEME):
            target = "/" + target.removeprefix(SCHEME)
            roots = [self.base.root]
        elif _SCHEME.match(target):
            return None  # the network is not asked
        else:
            roots = [self.base.workspace.root, self.base.root] if target.startswith("/") else [path.parent]
        place, _, anchor = target.partition("#")
        wanted = unquote(place.partition("?")[0]).lstrip("/")
        what = "image" if span.kind == "image" else "link"
        shown = target if len(target) <= 120 else f"{target[:120]}…"
        found = [Path(os.path.normpath(root / wanted)) for root in roots] if wanted else [path]
        inside = [each for each in found if self._inside(each)]
        if not inside:
            return f"The {what} to {shown} leads out of the workspace, where it is not followed."
        there = next((each for each in inside if self._exists(each)), None)
        if there is None:
            return f"The {what} to {shown} leads to no file."
        if anchor and there.suffix.lower() in SUFFIXES and unquote(anchor).lower() not in self.headings(there):
            return f"The {what} to {shown} leads to no heading there."
        return None

    def _cited_in_vain(self, cited: str, path: Path) -> bool:
        """Whether *cited* is surely meant as a file or folder of the workspace, and is none.

        A path may be written from the document, the knowledge folder, the workspace's root or an app.
        """
        parts = cited.split("/")
        if parts[0] in PASSED_OVER or any(part in PASSED_OVER for part in parts) or _PLACEHOLDER.search(cited):
            return False
        workspace = self.base.workspace
        roots = [
            path.parent,
            self.base.folder,
            self.base.root,
            workspace.root,
            *(a.path.parent for a in workspace.apps),
        ]
        if any(not self._inside(root) or self._exists(Path(os.path.normpath(root / cited))) for root in roots):
            return False
        ending = parts[-1].rpartition(".")[2].lower() if "." in parts[-1].lstrip(".") else ""
        return ending in _FILE_ENDINGS and (
            any(self._exists(root / parts[0]) for root in roots)
            or parts[0] in ("src", "apps", "docs", "packages", "migrations")
        )

    def _inside(self, path: Path) -> bool:
        roots = (self.base.workspace.root, self.base.root)
        return any(path.is_relative_to(root) for root in roots)

    def _exists(self, path: Path) -> bool:
        if path not in self._there:
            try:
                real = path.resolve()
                self._there[path] = self._inside(real) and real.exists()
            except (OSError, ValueError, RuntimeError):  # a name no file can have, a circle of links
                self._there[path] = False
        return self._there[path]


def anchors(text: str, titles: list[str]) -> set[str]:
    """The anchors of a document: of its headings as GitHub makes them, and those set by hand."""
    found = set(re.findall(r"""<\w+[^>]*?\b(?:id|name)\s*=\s*["']([^"']+)["']""", text))
    seen: dict[str, int] = {}
    for title in titles:
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
        given = re.search(r"\{#([\w-]+)\}", title)
        if given:
            found.add(given[1])
    return {each.lower() for each in found} | {"", "top"}
