"""Scraped pages on the disk: where each stands, what its front matter says, whether a person changed it."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mcp_daan.errors import DaanError
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.publishing import exclusive, replace, tidy, translated
from mcp_daan.knowledge.lessons.wording import unseen_in
from mcp_daan.knowledge.markdown import front_matter, lines_of, read_text, sections

FOLDER = "scraped"
_SEGMENT_LENGTH = 60


@dataclass(frozen=True)
class Page:
    """A page as it is kept. `address` is where its text came from, if not from `source` itself."""

    title: str
    source: str
    address: str
    scraped_at: str
    etag: str
    last_modified: str
    sha256: str
    body: str

    def text(self) -> str:
        """The file."""
        values = {
            "title": self.title,
            "source": self.source,
            "fetched_from": self.address if self.address != self.source else "",
            "scraped_at": self.scraped_at,
            "etag": self.etag,
            "last_modified": self.last_modified,
            "sha256": self.sha256,
        }
        # A JSON string is a YAML string.
        matter = "".join(
            f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items() if value
        )
        return f"---\n{matter}---\n\n{self.body}"


def digest(body: str) -> str:
    """What tells one body from another."""
    return hashlib.sha256(body.encode()).hexdigest()


def read_page(file: Path) -> Page | None:
    """The page in *file*, if it was scraped by us and nobody changed its text since."""
    try:
        text = read_text(file)
    except DaanError:
        return None
    values, skipped = front_matter(text)
    body = "".join(lines_of(text)[skipped:]).removeprefix("\n")
    if not values.get("source") or values.get("sha256") != digest(body):
        return None
    return Page(
        title=values.get("title", ""),
        source=values["source"],
        address=values.get("fetched_from", values["source"]),
        scraped_at=values.get("scraped_at", ""),
        etag=values.get("etag", ""),
        last_modified=values.get("last_modified", ""),
        sha256=values["sha256"],
        body=body,
    )


def place_of(base: KnowledgeBase, url: str) -> Path:
    """Where the page at *url* stands: in the file that names it as its source, else where a new one goes."""
    folder = base.folder / FOLDER
    for file in base.files():
        if file.is_relative_to(folder) and _names(file, url):
            return file
    return folder / new_name(url)


def _names(file: Path, url: str) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(8192).decode("utf-8", "replace")
    except OSError:  # gone meanwhile
        return False
    return front_matter(head)[0].get("source", "").rstrip("/") == url.rstrip("/")


def new_name(url: str) -> str:
    """`developers.cloudflare.com/d1/platform/limits.md`; a hash tells apart what would be one name."""
    split = urlsplit(url)
    segments = [part for part in unquote(split.path).split("/") if part not in ("", ".", "..")] or ["index"]
    plain = [re.sub(r"[^a-z0-9._-]+", "-", part.lower()).strip("-.")[:_SEGMENT_LENGTH] or "page" for part in segments]
    plain[-1] = re.sub(r"\.(?:html?|md|mdx)$", "", plain[-1])
    host = re.sub(r"[^a-z0-9.-]+", "-", split.netloc.lower())
    exact = "/".join(plain) == split.path.strip("/") and not split.query
    if not exact and segments != ["index"]:
        plain[-1] += f"-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
    return f"{host}/{'/'.join(plain)}.md"


def write_page(file: Path, page: Page) -> None:
    """Put *page* in *file*, at once and whole. Raises Unavailable when the disk does not take it."""
    with translated(file.name):
        file.parent.mkdir(parents=True, exist_ok=True)
    tidy(file.parent)
    with exclusive(file.parent):
        replace(file, page.text().encode())


def title_of(body: str, otherwise: str) -> str:
    """The first heading of *body*, else *otherwise*, in one line that can be seen."""
    first = next(iter(sections(body)), None)
    title = " ".join((first.title if first else otherwise).split())[:200]
    return "".join(each for place, each in enumerate(title) if not unseen_in(title, place, ""))
