"""Keep pages of others as markdown, and keep them fresh."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from mcp_daan.errors import Conflict, DaanError, Refused, Unavailable
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.dates import iso
from mcp_daan.knowledge.scraping.cleaning import cleaned
from mcp_daan.knowledge.scraping.conversion import markdown_address, to_markdown
from mcp_daan.knowledge.scraping.fetching import Fetching, Got
from mcp_daan.knowledge.scraping.pages import FOLDER, Page, digest, place_of, read_page, title_of, write_page

State = Literal["new", "changed", "unchanged", "failed"]
_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "iso-8859-1": "cp1252", "windows-1252": "cp1252"}
_PROSE = ("text/markdown", "text/x-markdown", "text/plain")
_LEAST_CHARACTERS = 40


@dataclass(frozen=True)
class Scraped:
    """What became of one address; `path` as `data` shows it, `notes` on what was left out."""

    url: str
    state: State
    path: str | None = None
    notes: tuple[str, ...] = ()
    error: DaanError | None = None


async def scrape(
    base: KnowledgeBase,
    urls: Iterable[str],
    fetching: Fetching,
    *,
    now: datetime,
    redact: Callable[[str], str],
    force: bool = False,
) -> list[Scraped]:
    """Fetch each of *urls* into `scraped/`; one that fails leaves what is there as it was, and the others go on.

    A page that did not change only gets a new date. With *force* a page that a person changed is replaced too.
    """
    done = []
    for url in dict.fromkeys(each.partition("#")[0] for each in urls):
        try:
            done.append(await _one(base, url, fetching, now=now, redact=redact, force=force))
        except DaanError as error:
            done.append(Scraped(url, "failed", error=error))
    return done


async def _one(
    base: KnowledgeBase, url: str, fetching: Fetching, *, now: datetime, redact: Callable[[str], str], force: bool
) -> Scraped:
    fetching.admitted(url)
    base = base.writable()  # only now: what is refused copies nothing
    if base.folder.is_symlink() or (base.folder / FOLDER).is_symlink():
        raise Refused("The folder of scraped pages is a link.", advice=f"Make `{FOLDER}/` a real folder.")
    file = place_of(base, url)
    _check_place(base, file)
    known = read_page(file) if file.exists() else None
    if file.exists() and known is None and not force:
        raise Conflict(
            f"{base.relative(file)} was written or changed by a person.",
            advice="Keep it, or replace it with `--force`.",
        )
    got = await _asked(fetching, url, known)
    moment = iso(now)
    if got.status == 304 and known is not None:
        write_page(file, replace(known, scraped_at=moment))
        return Scraped(url, "unchanged", base.relative(file))
    title, markdown, got = await _markdown(fetching, got)
    body, notes = cleaned(markdown, redact)
    if len(re.sub(r"\W", "", body)) < _LEAST_CHARACTERS:
        raise Unavailable(
            "The page has no text to speak of without its scripts.",
            advice="Look for another form of it, or write it by hand.",
        )
    page = Page(
        title=redact(title_of(body, title)),
        source=url,
        address=got.url,
        scraped_at=moment,
        etag=_header(got, "etag"),
        last_modified=_header(got, "last-modified"),
        sha256=digest(body),
        body=body,
    )
    state: State = "new" if not file.exists() else "unchanged" if known and known.sha256 == page.sha256 else "changed"
    write_page(file, page)
    return Scraped(url, state, base.relative(file), tuple(notes))


def _check_place(base: KnowledgeBase, file: Path) -> None:
    """No link on the way may lead the write elsewhere."""
    if any(each.is_symlink() for each in (file, *file.parents) if each.is_relative_to(base.folder)):
        raise Refused(f"{base.relative(file)} passes a link.", advice="Put a real folder in the link's place.")


async def _asked(fetching: Fetching, url: str, known: Page | None) -> Got:
    """The page, or 304 when it is as *known*."""
    condition = {}
    if known is not None and known.etag:
        condition["If-None-Match"] = known.etag
    elif known is not None and known.last_modified:
        condition["If-Modified-Since"] = known.last_modified
    return await fetching.get(known.address if known is not None and condition else url, condition)


async def _markdown(fetching: Fetching, got: Got) -> tuple[str, str, Got]:
    """The page's title and text as markdown, and the answer that it is from."""
    kind = got.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _PROSE:
        return "", _text(got), got
    if kind not in ("text/html", "application/xhtml+xml"):
        raise Unavailable(
            f"The page is {kind or 'of no stated type'}, not text.",
            advice="Only HTML, markdown and plain text are kept.",
        )
    html = _text(got)
    for url in _other_forms(html, got.url):
        try:
            other = await fetching.get(url, {})
        except DaanError:
            continue  # a guess, or a page's own word; its HTML is at hand
        if other.headers.get("content-type", "").startswith(_PROSE) and not _text(other).lstrip().startswith("<!"):
            return to_markdown(html, got.url)[0], _text(other), other
    return *to_markdown(html, got.url), got


def _other_forms(html: str, url: str) -> Iterator[str]:
    stated = markdown_address(html, url)
    if stated:
        yield stated
    if url.endswith("/"):
        yield f"{url}index.md"


def _text(got: Got) -> str:
    stated = re.search(r"charset\s*=\s*[\"']?([\w-]+)", got.headers.get("content-type", ""), re.I)
    charset = _CHARSETS.get(stated[1].lower() if stated else "utf-8")
    try:
        return got.body.decode(charset or "ascii")
    except UnicodeDecodeError:
        raise Unavailable("The page is not UTF-8 text.", advice="Write the page by hand.") from None


def _header(got: Got, name: str) -> str:
    value = got.headers.get(name, "")
    return value if value.isprintable() and value.isascii() and len(value) <= 200 else ""
