"""The steps of the walk: what is called, what must come back, and what of it is shown."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_daan.demo.connections import VERDICTS
from mcp_daan.demo.story import REFRESH, SESSIONS

Answer = dict[str, Any]
# What the demo's documents say wrongly on purpose, by the finding that tells so.
DRIFT = {
    "broken_link": 1,
    "column_missing": 1,
    "column_type_differs": 1,
    "column_undocumented": 1,
    "lesson_unmerged": 3,
    "limit_outdated": 1,
    "migration_unapplied": 1,
    "stale_file": 1,
    "version_behind": 3,
}
LESSON = {
    "title": "Refresh tokens end while the cron trigger still looks healthy",
    "problem": "Six connections refresh every five minutes, and their refresh tokens still end within a week.",
    "solution": "Ask `tokens_health` for `reauth_soon` every Monday, and write to those customers in time.",
    "component": "oauth",
    "evidence": "tokens_health, docs/knowledge/backend/DATABASE.md",
    "author": "Daan",
}
# `cloudflare` is left out: it depends on the credentials of who runs the demo.
STATES = {
    "knowledge": "broken",
    "d1": "attention",
    "oauth": "broken",
    "workers": "ok",
    "astro": "ok",
    "kv": "ok",
    "git": "attention",
}
DATABASE = "portal-db"
SQL = (
    "SELECT u.company, c.last_error, c.refresh_token_enc AS note FROM connections c"
    " JOIN users u ON u.id = c.user_id WHERE c.status = ? ORDER BY c.id LIMIT 3"
)


@dataclass(frozen=True)
class Step:
    """One call. `wrong` gives what differs from what must come back, `telling` the lines worth showing."""

    title: str
    tool: str
    arguments: dict[str, Any]
    wrong: Callable[[Answer, Sequence[Answer], Path], Iterator[str]]
    telling: Callable[[Answer], Iterator[str]]


def _validated(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    found = Counter(each["code"] for each in answer["data"]["findings"] if each["severity"] != "info")
    for code, count in DRIFT.items():
        if found[code] != count:
            yield f"{count} {code} expected, {found[code]} found"
    yield from (f"{code} was not expected" for code in found if code not in DRIFT)
    if not {SESSIONS, REFRESH} <= {each["branch"] for each in answer["data"]["branchLessons"]}:
        yield f"lessons of {SESSIONS} and {REFRESH} expected"


def _findings(answer: Answer) -> Iterator[str]:
    shown: set[str] = set()
    for each in answer["data"]["findings"]:
        if each["code"] in DRIFT and each["code"] not in shown:
            shown.add(each["code"])
            line = f":{each['line']}" if each.get("line") else ""
            yield f"{each['code']:20} {each['path'].rsplit('/', 1)[-1]}{line}: {each['message']}"


def _searched(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    if not any("exact" in each["path"] for each in answer["data"]["results"][:3]):
        yield "a page on Exact expected among the first three"


def _results(answer: Answer) -> Iterator[str]:
    for each in answer["data"]["results"]:
        yield f"{each['path']}:{each['line']} {each['section']}".rstrip()


def _described(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    tables = {each["name"]: each for each in answer["data"]["tables"]}
    secret = [each["name"] for each in tables.get("connections", {"columns": []})["columns"] if each["secret"]]
    if secret != ["access_token_enc", "refresh_token_enc"]:
        yield "two secret columns expected in connections"


def _columns(answer: Answer) -> Iterator[str]:
    for table in answer["data"]["tables"]:
        for each in table["columns"]:
            if each["secret"] or each["references"] or each["primaryKey"]:
                target = each["references"]["table"] if each["references"] else ""
                kind = "secret" if each["secret"] else f"references {target}" if target else "primary key"
                yield f"{each['name']:20} {each['type']:8} {kind}"


def _queried(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    data = answer["data"]
    if data["masked"] != ["note"] or {row[2] for row in data["rows"]} != {"***"}:
        yield "the sealed token must come as ***"
    if data["rowCount"] != 3:
        yield f"3 rows expected, {data['rowCount']} found"


def _rows(answer: Answer) -> Iterator[str]:
    rows = [answer["data"]["columns"], *answer["data"]["rows"]]
    widths = [min(60, max(len(str(row[place])) for row in rows)) for place in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(f"{str(value)[:width]:{width}}" for value, width in zip(row, widths, strict=True)).rstrip()


def _judged(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    counts = {verdict: count for verdict, count in answer["data"]["counts"].items() if count}
    for verdict, count in VERDICTS.items():
        if counts.get(verdict) != count:
            yield f"{count} {verdict} expected, {counts.get(verdict, 0)} found"
    if answer["data"]["crypto"]["nonceReuse"] != 1:
        yield "one nonce that was used twice expected"


def _verdicts(answer: Answer) -> Iterator[str]:
    data = answer["data"]
    shown: set[str] = set()
    for each in data["connections"]:
        if each["verdict"] not in shown:
            shown.add(each["verdict"])
            yield f"{each['verdict']:20} connection {each['id']}: {each['nextStep']}"
    yield f"{'loop':20} {data['loop']['state']}, every {data['loop']['medianIntervalSeconds']:.0f} s"
    yield f"{'nonces used twice':20} {data['crypto']['nonceReuse']}"


def _appended(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    if answer["lessonsAdded"] != 1:
        yield "one lesson added expected"
    if not any((folder / path).is_file() for path in answer["artifacts"]):
        yield "the lesson's file expected on the disk"


def _lesson(answer: Answer) -> Iterator[str]:
    yield f"{answer['data']['id']}  {answer['data']['path']}"


def _validated_again(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    yield from _validated(answer, before, folder)
    if _lessons_bytes(answer) <= _lessons_bytes(before[0]):
        yield "LESSONS-LEARNED.md must have grown by the lesson"
    if not any(LESSON["title"] in file.read_text(encoding="utf-8") for file in folder.rglob("LESSONS-LEARNED.md")):
        yield "the lesson expected in LESSONS-LEARNED.md"


def _files(answer: Answer) -> Iterator[str]:
    for each in answer["data"]["files"]:
        yield f"{each['path']:30} {each['bytes']:6} bytes, {each['ageDays']} days old"


def _listed(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    data = answer["data"]
    if {each["name"] for each in data["keys"]} != {"grant:***"}:
        yield "the names of grants must come as grant:***"
    if data["nextCursor"] is None:
        yield "more than three grants expected"


def _keys(answer: Answer) -> Iterator[str]:
    for each in answer["data"]["keys"]:
        yield f"{each['name']}  until {each['expiresAt'][:10]}, for {each['metadata']['resource']}"


def _overseen(answer: Answer, before: Sequence[Answer], folder: Path) -> Iterator[str]:
    data = answer["data"]
    states = {each["component"]: each["state"] for each in data["components"]}
    for component, state in STATES.items():
        if states.get(component) != state:
            yield f"{component} expected to be {state}, not {states.get(component)}"
    if len(data["findings"]) != 10 or data["findings"][0]["code"] != "nonce_reused":
        yield "ten findings expected, nonce_reused first"


def _pressing(answer: Answer) -> Iterator[str]:
    for each in answer["data"]["findings"][:4]:
        yield f"{each['code']:20} {each['count']:3}  {each['harm']}"
    for each in answer["data"]["components"]:
        if each["state"] in ("broken", "attention"):
            yield f"{each['component']:20} {each['state']}"


def _lessons_bytes(answer: Answer) -> int:
    sizes = (each["bytes"] or 0 for each in answer["data"]["files"] if each["path"].endswith("LESSONS-LEARNED.md"))
    return next(sizes, 0)


STEPS = (
    Step("Hold the documents against the database", "knowledge_validate", {}, _validated, _findings),
    Step(
        "Search what the team knows",
        "knowledge_search",
        {"query": ["refresh token dead Exact Online", "koppeling opnieuw verbinden"], "limit": 3},
        _searched,
        _results,
    ),
    Step(
        "Learn a table",
        "d1_schema",
        {"database": DATABASE, "table": "connections", "detail": "full"},
        _described,
        _columns,
    ),
    Step(
        "Read rows; a secret stays masked under any name",
        "d1_query",
        {"database": DATABASE, "sql": SQL, "parameters": ["error"]},
        _queried,
        _rows,
    ),
    Step("See which tokens are healthy", "tokens_health", {"limit": 20}, _judged, _verdicts),
    Step("Write down what was learned", "lessons_append", LESSON, _appended, _lesson),
    Step("Validate again: the lesson is there", "knowledge_validate", {}, _validated_again, _files),
    Step(
        "List the portal's grants in KV; whose they are stays hidden",
        "kv_read",
        {"namespace": "OAUTH_KV", "prefix": "grant:", "limit": 3},
        _listed,
        _keys,
    ),
    Step("See everything at once, by what does most harm", "infra_status", {}, _overseen, _pressing),
)
