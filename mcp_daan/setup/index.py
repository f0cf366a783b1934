"""`mcp-daan index`: read every document for search by meaning now, rather than beside the server's first searches."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mcp_daan.app import App
from mcp_daan.knowledge.retrieval import arithmetic


def run(app: App, show: Callable[[float, float | None, str], None]) -> int:
    """Read them, tell *show* how far it is, and say how many there are; 2 where it cannot be done."""
    if not arithmetic.present():
        sys.stderr.write("mcp-daan: The extra is not installed. Run `pip install 'mcp-daan[semantic]'`.\n")
        return 2
    from mcp_daan.knowledge.retrieval.embedding import embed_missing

    base = app.knowledge
    with ThreadPoolExecutor(1) as thread:  # whatever a broken model raises is caught here
        work = thread.submit(embed_missing, base, lambda done, total: show(done, total, "documents"))
        error = work.exception()
    if error is not None:
        sys.stderr.write(
            f"mcp-daan: The documents could not be read for meaning ({type(error).__name__}: {error}).\n"
            "Install the extra again: `pip install --force-reinstall 'mcp-daan[semantic]'`.\n"
        )
        return 2
    sys.stdout.write(f"{work.result()} documents are read; search goes by meaning too.\n")
    return 0
