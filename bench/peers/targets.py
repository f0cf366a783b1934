"""What was promised, a row a promise; the page shows every one with its verdict."""

from bench.peers import measure
from bench.peers.field import DBHUB, MEMORY, NPX, PLAIN, SDK, TOOLBOX
from bench.peers.libraries import BASIC, DOCS, QMD, SEARCH
from bench.peers.results import Target
from bench.peers.serving import ECHO, RATE, SCALING
from bench.peers.wire import LEGACY, MODERN

TYPESCRIPT = (NPX, MEMORY)
SQL = (DBHUB, NPX, TOOLBOX, PLAIN, SDK)
OLD, NEW = measure.START[LEGACY], measure.START[MODERN]

TARGETS = [
    Target(f"spawn → `tools/list`, {LEGACY}", OLD, 0.5, TYPESCRIPT),
    # Who does not speak the newer revision is measured by the older one.
    Target(f"spawn → `tools/list`, {MODERN}", NEW, 0.5, TYPESCRIPT, OLD),
    Target(f"spawn → `tools/list`, {LEGACY}", OLD, 1, (TOOLBOX,)),
    Target(f"spawn → `tools/list`, {MODERN}", NEW, 1, (TOOLBOX,), OLD),
    Target("spawn → first `d1_query` answered", measure.FIRST, 1, (DBHUB,)),
    Target("`d1_query`, one row, p50", measure.ONE, 1, (DBHUB,)),
    Target("`d1_query`, one row, p50", measure.ONE, 1, (TOOLBOX,), stretch=True),
    Target("`d1_query`, 100 of 100,000 rows, p50", measure.HUNDRED, 1, SQL),
    Target("bytes of the whole line with 100 rows", measure.BYTES, 1, SQL),
    Target("bytes of the whole line with 100 rows", measure.BYTES, 0.8, (DBHUB,)),
    Target("`knowledge_search`, p50", SEARCH, 1, (BASIC,)),
    Target("`knowledge_search`, p50", SEARCH, 1, (QMD, DOCS)),
    Target("`knowledge_search`, p50, ms", SEARCH, 15),
    Target("memory of the process tree, idle", measure.IDLE, 0.6, (DBHUB,)),
    Target("memory of the process tree, after 10,000 calls", measure.AFTER, 0.6, (DBHUB,)),
    Target("growth of memory over 10,000 calls, %", measure.GROWTH, 2),
    Target("tool list in the model's context, o200k tokens", measure.TOKENS, 4000),
    Target("HTTP requests a second, one worker, `d1_query` of one row", RATE[1], 0.8, (ECHO,), least=True),
    Target("HTTP requests a second, two workers beside one", SCALING, 1.3, least=True),
]
