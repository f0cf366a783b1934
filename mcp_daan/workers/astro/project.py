"""An Astro project as its files tell of it; astro.config is read as text and never run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mcp_daan.cached import cached_property
from mcp_daan.workers.seen import CODE, Seen, line_of

CONFIGS = tuple(f"astro.config.{ending}" for ending in ("mjs", "ts", "js", "mts", "cjs"))
PACKAGE = "@astrojs/cloudflare"
_IMPORT = re.compile(
    r"""\bimport\s+(?:\*\s+as\s+)?(\w+)\s*(?:,\s*\{[^{}]{0,999}\}\s*)?from\s*["']@astrojs/cloudflare["']"""
)
_OUTPUT = re.compile(r"""\boutput\s*:\s*(?:["'`](\w+)["'`])?""")
_SOURCE = re.compile(r"""\bsrcDir\s*:\s*(?:["'`]\.?/?([\w./-]+)["'`])?""")
_PRERENDER = re.compile(r"^[ \t]*export\s+const\s+prerender\s*(?::\s*boolean\s*)?=\s*(true|false)\b", re.M)
_METHODS = re.compile(r"\bexport\s+(?:const|async\s+function|function)\s+(POST|PUT|PATCH|DELETE|ALL)\b")
# What is not there while a page is made at build time.
_AT_REQUEST = re.compile(
    r"\b(?:request\.(?:headers|json|text|formData|url|method)|cookies\.|(?:url|Astro\.url|request\.url)\.searchParams|searchParams\.get"
    r"|locals\.|Astro\.request\b|Astro\.cookies\b|env\.[A-Z]\w+)"
)
Output = Literal["static", "server", "hybrid"]


@dataclass(frozen=True)
class Route:
    """One file below `pages`: the path that it answers, and what it says of itself."""

    path: str
    file: Path
    prerender: bool | None
    prerender_line: int | None
    code: str

    @property
    def at_request(self) -> bool:
        """Whether it must be answered at the moment of the request: it writes, or reads the request."""
        return _METHODS.search(self.code) is not None or _AT_REQUEST.search(self.code) is not None


@dataclass(frozen=True)
class Project:
    """The project in the folder of a configuration."""

    seen: Seen
    config: Path
    code: str

    @property
    def shown(self) -> str:
        """astro.config as the team writes it."""
        return self.seen.shown(self.config)

    @property
    def adapter(self) -> bool:
        """Whether Cloudflare's adapter is imported."""
        return re.search(r"""["']@astrojs/cloudflare["']""", self.code) is not None

    @cached_property
    def adapter_options(self) -> tuple[str, int]:
        """What stands between the brackets of the adapter's call, and where it begins; empty where it has none."""
        named = _IMPORT.search(self.code)
        call = re.search(rf"(?<![\w$.]){re.escape(named[1])}\s*\(", self.code) if named else None
        if call is None:
            return "", 0
        depth, at = 1, call.end()
        while at < len(self.code) and depth:
            depth += {"(": 1, ")": -1}.get(self.code[at], 0)
            at += 1
        return self.code[call.end() : at - 1], call.end()

    @property
    def output(self) -> Output | None:
        """How pages are made: at build time (the default) or at the request; None where that is computed."""
        match = _OUTPUT.search(self.code)
        if match is None:
            return "static" if not re.search(r"\.\.\.\s*\w|\boutput\b", self.code) else None
        word = match[1]
        return word if word in ("static", "server", "hybrid") else None  # type: ignore[return-value]

    @property
    def output_line(self) -> int | None:
        """Where `output` stands."""
        match = _OUTPUT.search(self.code)
        return line_of(self.code, match.start()) if match else None

    @cached_property
    def source(self) -> Path:
        """The folder of the sources."""
        match = _SOURCE.search(self.code)
        return self.seen.config.folder / (match[1] if match and match[1] else "src")

    @cached_property
    def routes(self) -> list[Route]:
        """The routes that files below `pages` make."""
        return list(self._routes())

    @property
    def middleware(self) -> tuple[Path, str] | None:
        """The middleware's file and its code; None where there is none."""
        places = [self.source / f"middleware{ending}" for ending in CODE]
        places += [self.source / "middleware" / f"index{ending}" for ending in CODE]
        return next(((path, self.seen.code(path)) for path in places if path.is_file()), None)

    def _routes(self) -> Iterator[Route]:
        pages = self.source / "pages"
        for file in self.seen.sources:
            if not file.is_relative_to(pages) or any(part.startswith("_") for part in file.relative_to(pages).parts):
                continue
            parts = list(file.relative_to(pages).with_suffix("").parts)
            code = self.seen.code(file)
            said = _PRERENDER.search(code)
            yield Route(
                path="/" + "/".join(parts[:-1] if parts[-1] == "index" else parts),
                file=file,
                prerender=said[1] == "true" if said else None,
                prerender_line=line_of(code, said.start(1)) if said else None,
                code=code,
            )


def project_of(seen: Seen) -> Project | None:
    """The Astro project of *seen*; None where it is none."""
    config = next((seen.config.folder / each for each in CONFIGS if (seen.config.folder / each).is_file()), None)
    return Project(seen, config, seen.code(config)) if config else None
