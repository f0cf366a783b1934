"""`mcp-daan scrape`: pages of others into `scraped/`, told line by line."""

import asyncio
import json
import sys
from collections.abc import Sequence

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.knowledge.scraping.fetching import Fetching
from mcp_daan.knowledge.scraping.scrape import Scraped, scrape

ALL, SOME, NONE = 0, 1, 2


def run(app: App, urls: Sequence[str], *, force: bool, as_json: bool, fetching: Fetching | None = None) -> int:
    """Fetch *urls*; 0 when all came, 1 when some failed, 2 when all did.

    *fetching* stands in for the network where that is tested.
    """
    try:
        getting = fetching or Fetching(app.settings.knowledge.scrape_origins)
        done = asyncio.run(scrape(app.knowledge, urls, getting, now=app.now, redact=app.redact, force=force))
    except DaanError as error:
        sys.stderr.write(f"{error.message} {error.advice}\n")
        return NONE
    if as_json:
        sys.stdout.write(json.dumps([_as_json(each) for each in done], ensure_ascii=False, indent=2) + "\n")
    else:
        for each in done:
            sys.stdout.write(_line(each))
    failed = sum(each.state == "failed" for each in done)
    return ALL if not failed else NONE if failed == len(done) else SOME


def _line(each: Scraped) -> str:
    if each.error is not None:
        return f"{each.state:10} {each.url}\n           {each.error.message} {each.error.advice}\n"
    notes = "".join(f"\n           {note}" for note in each.notes)
    return f"{each.state:10} {each.path}  {each.url}{notes}\n"


def _as_json(each: Scraped) -> dict[str, object]:
    error = each.error
    return {
        "url": each.url,
        "state": each.state,
        "path": each.path,
        "notes": list(each.notes),
        "error": {"code": error.code, "message": error.message, "advice": error.advice} if error else None,
    }
