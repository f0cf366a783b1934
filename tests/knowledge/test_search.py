"""Search finds what was typed, ranks pages by their sections, and is never confused by syntax."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.retrieval.search import Found, Question, SearchScope, search, sources_for
from mcp_daan.workspace import Workspace
from tests.knowledge.conftest import Write

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAGES = {
    "backend/DATABASE.md": "# Database\n\nThe portal's D1 file.\n\n## connections\n\nHolds `access_token_enc`.\n\n## Limits\n\nRows are read in pages of 100.\n",
    "backend/wrangler.md": "---\ncomponent: workers\n---\n# Wrangler\n\nSet `nodejs_compat` in compatibility_flags.\n\n## Flags\n\nSee wrangler.jsonc.\n",
    "backend/errors.md": "# Errors\n\n## D1_ERROR: no such table: users\n\nThe migration has not been applied.\n\n## Error 10021\n\nThe binding's id is invalid.\n",
    "backend/scraped/kv.md": "---\nscraped_at: 2026-10-23\n---\n# Workers KV\n\nEventually consistent; use getByName() elsewhere. A sign-in needs read-after-write.\n",
    "backend/lessons/20261120-page.md": "---\ncomponent: d1\ndate: 2026-11-20\n---\n# Retry the refresh once\n\nThe refresh failed twice.\n",
}


@pytest.fixture
def filled(base: KnowledgeBase, write: Write) -> KnowledgeBase:
    """A small knowledge base."""
    for name, text in PAGES.items():
        write(name, text)
    return base


def find(base: KnowledgeBase, *phrasings: str, scope: SearchScope = "all", component: str | None = None) -> Found:
    question = Question(phrasings, scope, component)
    return search(base, question, sources_for(base, question.kinds), now=NOW, limit=50)


def paths(found: Found) -> list[str]:
    return [result.path for result in found.results]


@pytest.mark.parametrize(
    ("typed", "path", "section"),
    [
        ("nodejs_compat", "backend/wrangler.md", "Wrangler"),
        ("D1_ERROR: no such table: users", "backend/errors.md", "Errors > D1_ERROR: no such table: users"),
        ("[code: 10021]", "backend/errors.md", "Errors > Error 10021"),
        ("wrangler.jsonc", "backend/wrangler.md", "Wrangler > Flags"),
        ("backend/DATABASE.md", "backend/DATABASE.md", "Database"),
        ("read-after-write", "backend/scraped/kv.md", "Workers KV"),
        ("getByName()", "backend/scraped/kv.md", "Workers KV"),
        ("access_token_enc", "backend/DATABASE.md", "Database > connections"),
        ("applying migrations", "backend/errors.md", "Errors > D1_ERROR: no such table: users"),
        ("How many rows are read in one page?", "backend/DATABASE.md", "Database > Limits"),
        ("CONSISTENCY, eventual", "backend/scraped/kv.md", "Workers KV"),
    ],
)
def test_what_is_typed_finds_its_page_and_section(typed: str, path: str, section: str, filled: KnowledgeBase) -> None:
    """Code names, error texts, paths, hyphens, questions, other endings of a word."""
    best = find(filled, typed).results[0]

    assert (best.path, best.section) == (path, section)


@pytest.mark.parametrize(
    "typed",
    [
        '"refresh',
        "refresh AND NOT (twice",
        "NOT refresh",
        "refresh*",
        "title:refresh",
        "{title body}: refresh",
        "NEAR(refresh twice, 2)",
        "refresh' OR 1=1 --",
        "^refresh",
        "refresh + twice",
        "-refresh",
        "re\0fresh refresh",
        "refresh \ud800",
        'refresh""""',
    ],
)
def test_query_syntax_is_only_words(typed: str, filled: KnowledgeBase) -> None:
    """Nothing that is typed reaches the engine as an operator."""
    assert paths(find(filled, typed))[0] == "backend/lessons/20261120-page.md"


@pytest.mark.parametrize("typed", ["?!", "***", '"', "_", "²", "🙂", "\0", "zzzzqqq", "日本語"])
def test_what_holds_no_word_that_is_written_finds_nothing(typed: str, filled: KnowledgeBase) -> None:
    """And does not fail."""
    assert paths(find(filled, typed)) == []


@given(st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_text_makes_search_fail(filled: KnowledgeBase, typed: str) -> None:
    """Whatever it holds."""
    found = find(filled, typed)

    assert found.total == len(found.results)


def test_a_question_of_small_words_only_is_still_searched(filled: KnowledgeBase) -> None:
    """Where nothing else is left they count."""
    assert paths(find(filled, "has not been")) == ["backend/errors.md"]


def test_small_words_do_not_count_beside_telling_ones(filled: KnowledgeBase) -> None:
    """In English and in Dutch."""
    assert paths(find(filled, "what is the nodejs_compat of the has not been")) == ["backend/wrangler.md"]
    assert paths(find(filled, "wat is de nodejs_compat van het")) == ["backend/wrangler.md"]


def test_a_page_that_speaks_of_it_throughout_comes_before_one_that_names_it_once(
    base: KnowledgeBase, write: Write
) -> None:
    """Pages rank by their sections together, and the answer names the best of them."""
    filler = "".join(f"\n## Other {number}\n\nSomething else entirely about nothing.\n" for number in range(8))
    write("backend/once.md", f"# Once\n\nThe queue.\n{filler}")
    write(
        "backend/often.md",
        f"# Often\n\n## Start\n\nA queue begins.\n\n## Retry\n\nThe queue retries; the queue waits.\n\n## End\n\nA queue ends.\n{filler}",
    )
    found = find(base, "queue")

    assert paths(found) == ["backend/often.md", "backend/once.md"]
    assert found.results[0].section == "Often > Retry"


def test_a_heading_without_text_of_its_own_is_not_the_section_shown(base: KnowledgeBase, write: Write) -> None:
    """What stands below it says more."""
    write(
        "backend/a.md", "# Queue queue queue\n\n## Waiting\n\nA long text in which among much else a queue is named.\n"
    )
    write("backend/b.md", "# Other\n\n## Queue\n")
    sections = {result.path: result.section for result in find(base, "queue").results}

    assert sections == {"backend/a.md": "Queue queue queue > Waiting", "backend/b.md": "Other > Queue"}


def test_several_phrasings_are_fused(filled: KnowledgeBase) -> None:
    """What an English phrasing finds is found beside a Dutch one, and what both find comes first."""
    dutch = find(filled, "hoeveel rijen per bladzijde")
    both = find(filled, "hoeveel rijen per bladzijde", "rows read pages", "rows limits")

    assert paths(dutch) == []
    assert both.results[0].path == "backend/DATABASE.md"
    assert both.results[0].section == "Database > Limits"


def test_a_page_found_by_two_phrasings_beats_one_found_by_one(filled: KnowledgeBase) -> None:
    """Reciprocal ranks add up."""
    found = find(filled, "nodejs_compat", "refresh", "flags wrangler")

    assert paths(found)[0] == "backend/wrangler.md"
    assert found.results[0].score == pytest.approx(2 / 61, rel=1e-3)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("docs", ["backend/DATABASE.md", "backend/errors.md", "backend/wrangler.md"]),
        ("lessons", ["backend/lessons/20261120-page.md"]),
        ("scraped", ["backend/scraped/kv.md"]),
        ("migrations", ["apps/portal/migrations/0001_init.sql"]),
    ],
)
def test_a_scope_keeps_its_own_files(scope: SearchScope, expected: list[str], filled: KnowledgeBase) -> None:
    """Documents, lessons, scraped pages, migrations; together they are all."""
    app = filled.workspace.root / "apps/portal"
    (app / "migrations").mkdir(parents=True)
    (app / "wrangler.jsonc").write_text('{"d1_databases": [{"binding": "DB",}]} // comment')
    (app / "migrations/0001_init.sql").write_text(
        "-- Users\nCREATE TABLE users (\n  id INTEGER\n);\nCREATE INDEX refresh_at ON users(id);\n"
    )
    workspace = Workspace(filled.workspace.root)
    fresh = KnowledgeBase(filled.root, filled.component, filled.origin, workspace)
    words = "users refresh consistent nodejs_compat portal table"

    assert sorted(paths(find(fresh, words, scope=scope))) == expected
    assert len(paths(find(fresh, words))) == 6


def test_a_migrations_section_is_its_statement(filled: KnowledgeBase) -> None:
    """With the line where it stands."""
    app = filled.workspace.root / "app"
    (app / "migrations").mkdir(parents=True)
    (app / "wrangler.toml").write_text('[[d1_databases]]\nbinding = "DB"\n')
    (app / "migrations/0002.sql").write_text("-- first\nALTER TABLE users\n  ADD COLUMN nickname TEXT;\n")
    base = KnowledgeBase(filled.root, "backend", "workspace", Workspace(filled.workspace.root))
    best = find(base, "nickname").results[0]

    assert (best.path, best.section, best.line, best.end_line) == (
        "app/migrations/0002.sql",
        "ALTER TABLE users",
        2,
        3,
    )


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("workers", ["backend/scraped/kv.md", "backend/wrangler.md"]),
        ("Workers", ["backend/scraped/kv.md", "backend/wrangler.md"]),
        ("d1", ["backend/DATABASE.md", "backend/errors.md", "backend/lessons/20261120-page.md"]),
        ("kv", ["backend/scraped/kv.md"]),
        ("portal", ["backend/LESSONS-LEARNED.md"]),
        ("astro", []),
        ("!", []),
    ],
)
def test_a_component_keeps_what_names_it(
    component: str, expected: list[str], filled: KnowledgeBase, write: Write
) -> None:
    """In front matter, title, heading, file name, or a line of a lesson written by hand."""
    write("backend/LESSONS-LEARNED.md", "# Lessons learned\n\n## One\n\n**Component:** portal\n\nThe refresh.\n")
    words = "refresh consistent nodejs_compat migration portal rows"

    assert sorted(paths(find(filled, words, component=component))) == expected


def test_a_lesson_is_found_in_its_own_file_and_not_again_in_the_view(filled: KnowledgeBase, write: Write) -> None:
    """What people wrote by hand in the view is found there."""
    write(
        "backend/LESSONS-LEARNED.md",
        "# Lessons learned\n\n## By hand\n\nNightly refresh.\n\n<!-- lessons: generated -->\n\n## Retry the refresh once\n\n"
        "The refresh failed twice.\n\n<!-- /lessons -->\n",
    )
    found = {result.path: result.section for result in find(filled, "refresh").results}

    assert found == {
        "backend/LESSONS-LEARNED.md": "Lessons learned > By hand",
        "backend/lessons/20261120-page.md": "Retry the refresh once",
    }


def test_scraped_pages_tell_their_age(filled: KnowledgeBase, write: Write) -> None:
    """By front matter, else by the file; other pages have none."""
    write("backend/scraped/bare.md", "# Bare\n\nConsistent.\n")
    ages = {result.path: result.age_days for result in find(filled, "consistent portal").results}

    assert ages["backend/scraped/kv.md"] == 30
    assert isinstance(ages["backend/scraped/bare.md"], int)
    assert ages["backend/DATABASE.md"] is None


def test_a_broken_date_in_front_matter_is_no_date(base: KnowledgeBase, write: Write) -> None:
    """The file's own then counts."""
    write("backend/scraped/x.md", "---\nscraped_at: yesterday\n---\n# X\n\nWord.\n")

    assert isinstance(find(base, "word").results[0].age_days, int)


def test_lines_point_at_the_section(filled: KnowledgeBase) -> None:
    """1-based, from the heading to the last line before the next."""
    best = find(filled, "pages of 100").results[0]
    lines = (filled.root / best.path).read_text().splitlines()

    assert lines[best.line - 1 : best.end_line] == ["## Limits", "", "Rows are read in pages of 100."]


def test_a_long_section_is_searched_in_parts_that_tell_their_lines(base: KnowledgeBase, write: Write) -> None:
    """A log of a thousand lines is one section; the hit's place in it is told."""
    lines = [f"line {number} of a long log that goes on" for number in range(1000)]
    lines[700] = "here the needle lies"
    write("backend/log.md", "# Log\n" + "\n".join(lines) + "\n")
    best = find(base, "needle").results[0]

    assert best.section == "Log"
    assert best.line <= 702 <= best.end_line
    assert best.end_line - best.line < 300
    assert "here the needle lies" in best.snippet


def test_files_that_cannot_be_read_are_left_out_by_name(filled: KnowledgeBase, write: Write) -> None:
    """The others are found as ever."""
    write("backend/latin.md", b"refresh caf\xe9")
    write("backend/huge.md", b"refresh " * (2**20 + 1))
    found = find(filled, "refresh")

    assert paths(found) == ["backend/lessons/20261120-page.md"]
    assert found.left_out == ("backend/huge.md", "backend/latin.md")


def test_an_index_is_not_shared_by_two_workspaces(filled: KnowledgeBase, tmp_path: Path) -> None:
    """What one holds is not found in the other."""
    other = tmp_path / "other/docs/knowledge/backend"
    other.mkdir(parents=True)
    (other / "own.md").write_text("# Own\n\nrefresh\n")
    base = KnowledgeBase(other.parent, "backend", "workspace", Workspace(tmp_path / "other"))

    assert paths(find(filled, "refresh")) == ["backend/lessons/20261120-page.md"]
    assert paths(find(base, "refresh")) == ["backend/own.md"]


TYPED = {
    "backend/limits.md": "# Limits\n\nThe maximum size of a row is 2 MB; the size of a table has no maximum.\n",
    "backend/sizes.md": "# Sizes\n\nA table of sizes: maximum, row, size. The row has a size, the size a maximum row.\n",
    "backend/io.md": "# Errors\n\nError: Cannot perform I/O on behalf of a different request.\n",
    "backend/requests.md": "# Requests\n\nA different request cannot perform on behalf of a request; perform I/O in a request.\n",
    "backend/paths.md": "# Paths\n\nLook into `apps/auth-portal/src/lib/token-refresh.ts` and `wrangler.jsonc`.\n",
    "backend/names.md": "# Names\n\n`D1_ERROR`, `compatibility_flags`, `env.DB.prepare()`, `@astrojs/cloudflare`, `x-auth-token`.\n",
}


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("maximum size of a row", "backend/limits.md"),
        ("Error: Cannot perform I/O on behalf of a different request.", "backend/io.md"),
        ("`Error: Cannot perform I/O on behalf of a different request.` at fetch (worker.js:10:3)", "backend/io.md"),
        ("apps/auth-portal/src/lib/token-refresh.ts", "backend/paths.md"),
        ("token-refresh.ts:42", "backend/paths.md"),
        ("./apps/auth-portal", "backend/paths.md"),
        ("src\\lib\\token-refresh.ts", "backend/paths.md"),
        ("D1_ERROR", "backend/names.md"),
        ("d1_error", "backend/names.md"),
        ("COMPATIBILITY_FLAGS", "backend/names.md"),
        ("compatibility-flags", "backend/names.md"),
        ("compatibility flags", "backend/names.md"),
        ("env.DB.prepare", "backend/names.md"),
        ("@astrojs/cloudflare", "backend/names.md"),
        ("X-Auth-Token:", "backend/names.md"),
        ("x auth token", "backend/names.md"),
    ],
)
def test_text_that_stands_as_typed_comes_first(typed: str, path: str, base: KnowledgeBase, write: Write) -> None:
    """Before pages that hold the same words in another order, or more often."""
    for name, text in TYPED.items():
        write(name, text)

    assert paths(find(base, typed))[0] == path


def test_a_question_of_many_words_is_answered_soon(filled: KnowledgeBase) -> None:
    """As long as a question may be, five times over."""
    long = [
        "refresh " + " ".join(f"refresh{number} failed{number % 7}" for number in range(start, 280))
        for start in range(5)
    ]
    begin = time.perf_counter()
    found = find(filled, *long)

    assert found.total == 1
    assert time.perf_counter() - begin < 5
