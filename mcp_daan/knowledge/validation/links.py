"""Links and cited paths that lead nowhere."""

import difflib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from mcp_daan.knowledge.base import SCHEME, SUFFIXES, KnowledgeBase
from mcp_daan.knowledge.validation.findings import Finding, finding
from mcp_daan.knowledge.validation.mending import Mend
from mcp_daan.knowledge.validation.passages import Document, Span
from mcp_daan.knowledge.validation.sentences import sentences, speaks_of_absence
from mcp_daan.workspace import PASSED_OVER

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
# A path in code, as people cite files: folders, no blanks, no pattern, no placeholder, maybe a line behind it.
_CITED = re.compile(r"(?:\./)?(?P<path>[\w.-]+(?:/[\w.\[\]-]+)+)/?(?::\d+(?:-\d+)?)?")
_FILE_ENDINGS = set(
    "md mdx ts tsx js jsx mjs cjs json jsonc toml sql py sh yml yaml csv html css astro svelte vue".split()
)
_LONGEST_PATH = 300
# Folders that a team's own paths begin with, be they there or not.
_USUAL = {"src", "apps", "docs", "packages", "migrations"}
_PLACEHOLDER = re.compile(
    r"(?i)(?:^|/)(?:\.\.\.|xxx+|path|your[-_]\w+|my[-_]\w+|foo|example|voorbeeld|nnnn?)(?:[./]|$)|nnnn|xxxx|yyyy"
)


@dataclass
class LinkCheck:
    """Tells which links and paths lead nowhere; what stands on disk is looked at once.

    `anchors` gives those of a document, None when it cannot be read.
    """

    base: KnowledgeBase
    anchors: Callable[[Path], set[str] | None]
    _there: dict[Path, bool] = field(default_factory=dict)

    def findings(self, path: Path, document: Document, *, cited: bool = True) -> Iterator[Finding]:
        """The links, images and, if *cited*, paths in code of *document*, at *path*, that lead nowhere."""
        name = self.base.relative(path)
        for prose in (prose for block in document.today for prose in block.texts):
            for sentence in sentences(prose):
                paths = cited and not speaks_of_absence("".join(span.text for span in sentence))
                for span in sentence:
                    wrong = self._wrong(span, path, cited=paths)
                    if wrong is not None:
                        near = self._near(span, path)
                        said = span.target or span.text
                        yield finding(
                            "broken_link",
                            name,
                            wrong,
                            line=span.line,
                            found=said,
                            expected=near,
                            suggestion=near,
                            mend=Mend("swap", said, near, said) if near else Mend("drop", said),
                        )

    def _wrong(self, span: Span, path: Path, *, cited: bool) -> str | None:
        if span.kind in ("link", "image"):
            return self._link(span, path)
        # What ships with the server speaks of any team's paths.
        if span.kind == "code" and not span.target and cited and self.base.origin == "workspace":
            found = _CITED.fullmatch(span.text) if len(span.text) <= _LONGEST_PATH else None
            if found and self._in_vain(found["path"], path):
                return f"`{found['path']}` is named here, but there is no such file."
        return None

    def _near(self, span: Span, path: Path) -> str | None:
        """What *span*, which leads nowhere, may mean: the same file elsewhere, a name like it, a heading like it."""
        target, _, anchor = (span.target or span.text).partition("#")
        tail = f"#{anchor}" if anchor else ""
        places = self._places(target, path) if span.target else [self.base.workspace.root / target]
        place = next((each for each in places or () if self._inside(each)), None)
        if place is None:
            return None
        if self._exists(place):
            known = sorted(self.anchors(place) or ()) if anchor else []
            close = difflib.get_close_matches(unquote(anchor).lower(), known, 1, 0.6)
            return f"{target}#{close[0]}" if close else target or None
        moved = [file for file in self.base.files() if file.name == place.name]
        try:
            beside = difflib.get_close_matches(place.name, [each.name for each in os.scandir(place.parent)], 1, 0.7)
        except OSError:  # there is no such folder
            beside = []
        if len(moved) == 1 and span.target:
            return Path(os.path.relpath(moved[0], path.parent)).as_posix() + tail
        return target[: len(target) - len(place.name)] + beside[0] + tail if beside else None

    def _link(self, span: Span, path: Path) -> str | None:
        what = "image" if span.kind == "image" else "link"
        shown = span.target if len(span.target) <= 120 else f"{span.target[:120]}…"
        place, _, anchor = span.target.partition("#")
        found = self._places(place.partition("?")[0], path)
        if found is None:
            return None
        inside = [each for each in found if self._inside(each)]
        if not inside:
            return f"The {what} to {shown} leads out of the workspace, where it is not followed."
        there = next((each for each in inside if self._exists(each)), None)
        if there is None:
            return f"The {what} to {shown} leads to no file."
        anchors = self.anchors(there) if anchor and there.suffix.lower() in SUFFIXES else None
        if anchors is not None and unquote(anchor).lower() not in anchors:
            return f"The {what} to {shown} leads to no heading there."
        return None

    def _places(self, target: str, path: Path) -> list[Path] | None:
        """Where *target*, in the document at *path*, may lead; None for the network, which is not asked."""
        base, wanted = self.base, unquote(target)
        if not wanted:
            return [path]
        if wanted.startswith(SCHEME):
            roots, wanted = [base.root], wanted.removeprefix(SCHEME)
        elif _SCHEME.match(wanted):
            return None
        elif wanted.startswith("/"):
            roots, wanted = [base.workspace.root, base.root], wanted.lstrip("/")
        else:
            roots = [path.parent]
        return [Path(os.path.normpath(root / wanted)) for root in roots]

    def _in_vain(self, cited: str, path: Path) -> bool:
        """Whether *cited* is surely meant as a file or folder of the workspace, and is none.

        A path may be written from the document, the knowledge folder, the workspace's root or an app.
        """
        parts = cited.split("/")
        if not PASSED_OVER.isdisjoint(parts) or _PLACEHOLDER.search(cited):
            return False
        base = self.base
        apps = [app.path.parent for app in base.workspace.apps]
        roots = [path.parent, base.folder, base.root, base.workspace.root, *apps]
        places = [Path(os.path.normpath(root / cited)) for root in roots]
        if any(not self._inside(place) or self._exists(place) for place in places):
            return False
        ending = parts[-1].rpartition(".")[2].lower()
        known = parts[0] in _USUAL or any(self._exists(root / parts[0]) for root in roots)
        return "." in parts[-1] and ending in _FILE_ENDINGS and known

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
    found = set(re.findall(r"""<\w+[^<>]{0,200}?\b(?:id|name)\s*=\s*["']([^"']+)["']""", text))
    seen: dict[str, int] = {}
    for title in titles:
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
        given = re.search(r"\{#([\w-]+)\}", title)
        if given:
            found.add(given[1])
    return {each.lower() for each in found} | {"", "top"}
