"""The compatibility date and its flags."""

from collections.abc import Iterator
from datetime import date, timedelta

from mcp_daan.workers.configuration.reading import Scope, text, texts
from mcp_daan.workers.finding import Finding, found
from mcp_daan.workers.seen import Seen

# There is no rule; after a year there is much to gain by reading what changed.
OLD_DAYS = 365
# What `nodejs_compat` brings depends on the date: before, only the modules without the globals such as Buffer.
NODE_GLOBALS = date(2024, 9, 23)


def date_findings(seen: Seen) -> Iterator[Finding]:
    """The date of each scope."""
    top, *environments = seen.config.scopes
    if top.own.get("compatibility_date") is None and not _dated(environments):
        yield _missing(seen)
    for scope in seen.config.scopes:
        if isinstance(scope.own.get("compatibility_date"), str):
            yield from _judged(seen, scope, str(scope.own["compatibility_date"]))
        yield from _flags(seen, scope)


def _dated(environments: list[Scope]) -> bool:
    return bool(environments) and all("compatibility_date" in scope.own for scope in environments)


def _missing(seen: Seen) -> Finding:
    config = seen.config
    pages = seen.kind == "pages"
    return found(
        "compatibility_date_missing",
        config.shown,
        "`compatibility_date` is absent: Pages takes the one of its dashboard, which the file does not show."
        if pages
        else "`compatibility_date` is absent: `wrangler deploy` refuses the Worker.",
        config.written(config.scopes[0], "compatibility_date", seen.today.isoformat()),
        severity="warning" if pages else None,
    )


def _judged(seen: Seen, scope: Scope, written: str) -> Iterator[Finding]:
    config = seen.config
    line = config.line(*scope.prefix, "compatibility_date")
    today = config.written(scope, "compatibility_date", seen.today.isoformat())
    try:
        day = date.fromisoformat(written)
    except ValueError:
        yield found(
            "value_unknown",
            config.shown,
            "`compatibility_date` is not a date of the form YYYY-MM-DD: wrangler refuses the file.",
            today,
            line=line,
        )
        return
    if day > seen.today:
        yield found(
            "compatibility_date_future",
            config.shown,
            f"`compatibility_date` is {day}, after today ({seen.today}, UTC): Cloudflare refuses the Worker.",
            today,
            line=line,
        )
    elif seen.today - day > timedelta(days=OLD_DAYS):
        yield found(
            "compatibility_date_old",
            config.shown,
            f"`compatibility_date` is {day}, {(seen.today - day).days} days ago: mended behaviour of the runtime since"
            " then is not on. Nothing breaks by itself.",
            f"Read the compatibility flags since {day}, test, and then: {today}",
            line=line,
        )


def _flags(seen: Seen, scope: Scope) -> Iterator[Finding]:
    flags = texts(scope.own.get("compatibility_flags"))
    line = seen.config.line(*scope.prefix, "compatibility_flags")
    for flag in flags:
        if flag.startswith("no_") and flag[3:] in flags:
            yield found(
                "compatibility_flags_conflict",
                seen.config.shown,
                f"`compatibility_flags` of {scope.words} holds `{flag[3:]}` and `{flag}`: Cloudflare refuses the two"
                " together.",
                f"Keep one of the two in `compatibility_flags` of {scope.words}.",
                line=line,
            )
    written = text({"date": scope.get("compatibility_date")}, "date") or ""
    if "nodejs_compat" in flags and "nodejs_compat_v2" not in flags and "0000" < written < NODE_GLOBALS.isoformat():
        yield found(
            "compatibility_flags_conflict",
            seen.config.shown,
            f"`nodejs_compat` with a date before {NODE_GLOBALS} brings Node's modules without its globals: `Buffer` and"
            " `process` are undefined.",
            f"Raise `compatibility_date` to {NODE_GLOBALS} or later, or add the flag `nodejs_compat_v2`.",
            line=line,
            severity="warning",
        )
