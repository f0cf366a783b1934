"""Which component something is about, by the words that stand in it."""

import re

from mcp_daan.knowledge.validation.findings import Finding
from mcp_daan.protocol import Component


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?i)(?<![a-z])(?:{pattern})(?![a-z])")


_WORDS: dict[Component, re.Pattern[str]] = {
    "d1": _word(r"d1|sqlite|sql|databases?|migrations?|migraties?|schema|quer(?:y|ies)|rows?"),
    "workers": _word(r"workers?|wrangler|kv|cron|isolates?|cold[ -]?starts?|durable[ -]objects?|queues?|r2"),
    "oauth": _word(
        r"o?auth|oauth2?|oidc|pkce|tokens?|refresh(?:es|ed)?|grants?|consent|scopes?|connections?|sessions?"
    ),
    "astro": _word(r"astro|ssr|islands?|prerender\w*|hydration"),
}


def about(text: str) -> set[Component]:
    """The components that words of *text* name; empty when none does."""
    return {component for component, words in _WORDS.items() if words.search(text)}


def named(text: str | None) -> Component | None:
    """The component that a field such as `component: d1` holds."""
    return next((component for component in _WORDS if component == (text or "").strip().lower()), None)


def concerns(each: Finding, component: Component) -> bool:
    """Whether a finding is about *component*, or about everything.

    One about a table is D1's, and the component's that the names in it speak of: `connections` is OAuth's too.
    """
    if each.component in (None, component):
        return True
    names = " ".join(re.findall(r"`([^`]*)`", each.message)).replace("_", " ").replace(".", " ")
    return component in about(names)
