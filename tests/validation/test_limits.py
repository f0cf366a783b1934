"""Limits as documents state them: wrong ones are found, right ones and all else left alone."""

import pytest

from mcp_daan.knowledge.validation.limits import limit_findings
from mcp_daan.knowledge.validation.passages import parse_document
from mcp_daan.knowledge.validation.quantities import quantities


def stated_wrongly(text: str, path: str = "backend/NOTES.md") -> list[str]:
    """The names of the limits that *text* gets wrong."""
    return [found.message.split(" is stated")[0] for found in limit_findings(path, parse_document(text))]


WRONG = {
    "The Worker size": (
        "Worker size limit is 1 MB.",
        "De Worker mag maximaal 1 MB groot zijn.",
        "Workers mogen hoogstens 3 MB (gratis) of 10 MB (betaald) na compressie zijn.",
        "The maximum Worker size is 10 MB after compression.",
        "Limits of Workers: 10 ms CPU, 128 MB memory, 1 MB script size.",
        "Workers: max 10ms CPU, 128MB geheugen, scriptgrootte 1MB.",
        "The Worker stays below the limit: 1 MB script size.",
        "## Workers limits\n\n| limit | Free | Paid |\n|---|---|---|\n| Worker size | 3 MB | 10 MB |",
        "Cloudflare Workers script size limit: 1 MB (free), 10 MB (paid)",
        "- 1 MB script size",
        "Worker size: 10 MB",
        "De maximale scriptgrootte is 1 MB.",
        "A script may be 1 MB.",
        "Workers-limieten: 10 ms CPU, 128 MB geheugen, 1 MB script",
        "De bundel mag maximaal 3 MB zijn (gzip) op het gratis plan van Workers.",
        "The compressed Worker must stay under 3 MB on the free plan.",
        "Let op: Worker-bundel < 1 MB!",
    ),
    "The memory of a Worker": ("A Worker has at most 256 MB memory.", "Worker: maximaal 512 MB geheugen."),
    "The CPU time": ("CPU limit for Workers is 50 ms.", "Workers: maximale CPU-tijd 60 seconden."),
    "The startup time": ("Workers startup time limit is 400 ms.",),
    "The subrequests of an invocation": (
        "Workers may make at most 1000 subrequests per request.",
        "Workers: maximaal 1.000 subrequests per verzoek.",
    ),
    "The cron triggers of an account": ("## Workers limits\n\n| what | free |\n|---|---|\n| Cron triggers | 3 |",),
    "The environment variables of a Worker": ("A Worker can have at most 32 environment variables.",),
    "The database size": (
        "A D1 database can be at most 2 GB.",
        "Een D1-database mag maximaal 2 GB zijn.",
        "D1: max database size 5 GB; free 500 MB.",
        "D1 databases are limited to 2 GB.",
        "## D1\n\n### Limits\n\n- Database size: 2 GB",
    ),
    "The databases of an account": ("D1 allows at most 25 databases per account.",),
    "The size of a row, text or blob": ("Maximum D1 row size is 1 MB.", "Een rij in D1 mag maximaal 1 MB zijn."),
    "The length of a SQL statement": ("D1 limits the SQL statement length to 1 MB.",),
    "The bound parameters of a statement": (
        "D1 binds at most 999 parameters.",
        "D1: hoogstens 50 parameters per query.",
        "# D1\n\n| Limit | Value |\n|---|---|\n| Bound parameters per query | 256 |",
    ),
    "The columns of a table": ("A D1 table can have at most 2000 columns.",),
    "The queries of a Worker invocation": ("D1 limits: 500 queries per Worker invocation.",),
    "The duration of a query": ("D1: a query may run at most 60 seconds.",),
    "The Time Travel": ("D1 Time Travel is limited to 14 days.",),
    "The value size": ("KV values can be up to 10 MB.", "KV-waarden mogen maximaal 2 MB zijn."),
    "The key size": ("In KV a key can be at most 256 bytes.",),
    "The metadata of a key": ("KV metadata is limited to 2048 bytes.",),
}
RIGHT = """
Worker size limit is 64 MiB uncompressed.
De Worker mag maximaal 64 MB groot zijn.
Worker size was limited to 1 MB until May 2026.
A single Worker script can have up to 1 MB of script metadata.
Keep the bundle below 1 MB so the Worker starts quickly; the limit is 64 MiB.
Workers may use at most 128 MB memory and 10 ms CPU on the free plan.
Workers: CPU limit 30 s by default, up to 5 minutes (300,000 ms); 15 minutes for a cron trigger.
A D1 database is limited to 10 GB (paid) or 500 MB (free).
Een D1-database mag maximaal 10 GB zijn, gratis 500 MB.
D1 binds at most 100 parameters in a statement.
Maximum D1 row size is 2 MB.
D1 rows may be at most 2,000,000 bytes.
KV values can be up to 25 MiB, keys 512 bytes and metadata 1024 bytes.
KV-waarden mogen maximaal 25 MB zijn.
Our API limits the page size to 100 rows, D1 reads at most 1 MB here.
The upload limit of the portal is 10 MB per file.
R2 objects in a Worker can be at most 5 TB.
Workers: max 1000 requests per minute to our API.
Workers startup time limit is 1 second.
Queries per Worker invocation in D1 are limited to 1,000 (50 free).
D1: SQL query duration at most 30 seconds.
The sync Worker may send at most 100 invoices per batch; size of a batch 1 MB.
The request body of a Worker may be 100 MB.
Subrequests of Workers: 50 free, 10,000 paid at most.
Static assets of a Worker: at most 25 MiB each.
The D1 Free plan allows 5 million rows read per day, 5 GB storage per account.
The Worker uses 40 MB of memory, at most 60 MB.
A D1 bulk insert with 400 parameters failed.
The bundle of the Worker is 1.2 MB.
Durable Objects in a Worker: at most 10 GB per database.
A D1 statement may hold parameters of each kind that the form in front of it has, in at most 25 rows.
D1 Time Travel keeps at most 30 days, 7 on the free plan.
""".strip().split("\n")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts])
def test_a_limit_that_is_not_todays_is_found(name, text) -> None:
    """In sentences, lists and tables, English and Dutch; that one and no other."""
    assert stated_wrongly(text) == [name]


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_limit_advice_or_another_product_is_left_alone(text) -> None:
    """What is true, what once was, what people aim at, and what is not Cloudflare's."""
    assert stated_wrongly(text) == []


def test_what_a_row_refers_to_is_not_what_it_states() -> None:
    """The link to another limit in brackets does not take its place."""
    row = "| Queries per Worker invocation (read [subrequest limits](x)) | 1000 (Paid) / 50 (Free) |"

    assert stated_wrongly(f"# D1 limits\n\n| Feature | Limit |\n|---|---|\n{row}") == []


def test_a_wrong_limit_is_told_with_todays_its_source_and_its_date(team) -> None:
    """Also on a scraped page, which is where limits grow old."""
    team.document("scraped/workers-limits.md", "---\nscraped_at: 2026-11-01\n---\n# Limits\n\n- Worker size: 10 MB\n")

    found = team.only("limit_outdated")
    assert (found["path"], found["line"], found["severity"]) == ("backend/scraped/workers-limits.md", 6, "warning")
    assert found["message"] == (
        "The Worker size is stated as 10 MB; it is 64 MiB uncompressed, on every plan"
        " (2026-11-22, https://developers.cloudflare.com/workers/platform/limits/)."
    )
    assert (found["suggestion"], found["component"]) == ("64 MiB uncompressed, on every plan", "workers")


def test_a_lesson_that_a_newer_one_supersedes_is_left_alone(team) -> None:
    """Only the newer one still counts; the view repeats neither."""
    lesson = "---\nid: {}\ntitle: {}\ncomponent: workers\ndate: 2026-11-0{}\n{}---\n# T\n\n## Problem\n\n{}\n\n## Solution\n\nS\n"
    wrong = "The Worker size limit is 1 MB."
    team.document("lessons/2026-11-01-a-a1.md", lesson.format("a1", "Old", 1, "", wrong))
    assert team.codes() == [("limit_outdated", "backend/lessons/2026-11-01-a-a1.md")]
    team.document("lessons/2026-11-02-b-b2.md", lesson.format("b2", "New", 2, "supersedes: a1\n", "It grew."))

    assert team.findings() == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,5 GB", (1.5e9, 1.5 * 2**30)),
        ("25 MiB", (25e6, 25 * 2**20)),
        ("100.000 bytes", (1e5, 1e5)),
        ("2,000,000 B", (2e6, 2e6)),
        ("300 ms", (0.3,)),
        ("5 minuten", (300.0,)),
        ("10 million", (1e7,)),
        ("50k", (5e4,)),
        ("30-day", (30.0,)),
    ],
)
def test_quantities_are_read_in_both_languages(text, values) -> None:
    """A comma or a point may part thousands or begin a fraction."""
    assert [each.values for each in quantities(text)] == [pytest.approx(values)]


@pytest.mark.parametrize("text", ["10%", "v1.2.3", "2026-11-22", "?1", "#12", "x64", "10.0.0.1", "3rd"])
def test_what_is_no_quantity_is_none(text) -> None:
    """Percentages, versions, dates and names hold digits too."""
    assert list(quantities(text)) == []
