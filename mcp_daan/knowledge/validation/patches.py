"""Patches for findings: tried on the document, and given as `git apply` takes them."""

import difflib
import re
import time
from collections.abc import Callable, Iterable, Mapping

from mcp_daan.knowledge.validation.findings import Finding
from mcp_daan.knowledge.validation.mending import changes

PATCH_CHARACTERS = 6000
SECONDS = 2.0
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# What is found in a document of this name when its text is this.
Again = Callable[[str, str], Iterable[Finding]]


def with_patches(
    findings: Iterable[Finding], texts: Mapping[str, str], again: Again, written_as: Callable[[str], str]
) -> list[Finding]:
    """*findings*, each with the first patch that takes it away and brings no other, where there is one.

    *texts* are the documents by name; *written_as* is how a patch names one. After two seconds the rest goes without.
    """
    deadline = time.monotonic() + SECONDS
    before: dict[str, set[tuple[str, str]]] = {}
    done = []
    for each in findings:
        text = texts.get(each.path)
        # A lone carriage return is a line's end for markdown, and none for git.
        if each.mend is None or text is None or re.search(r"\r(?!\n)", text) or time.monotonic() > deadline:
            done.append(each)
            continue
        if each.path not in before:
            before[each.path] = _keys(again(each.path, text))
        patch = _patch(each, text, before[each.path], again, written_as(each.path))
        done.append(each.model_copy(update={"patch": patch}))
    return done


def _patch(each: Finding, text: str, before: set[tuple[str, str]], again: Again, name: str) -> str | None:
    lines = _LINE.findall(text)
    assert each.mend is not None
    for change in changes(lines, each.line, each.mend):
        made = change.made(lines)
        if made == lines:
            continue
        after = _keys(again(each.path, "".join(made)))
        if (each.code, each.message) not in after and after <= before:
            patch = unified(name, lines, made)
            return patch if len(patch) <= PATCH_CHARACTERS else None
    return None


def unified(name: str, before: list[str], after: list[str]) -> str:
    """The difference between two lists of lines as `git apply` takes it, in a file of this *name*."""
    parts = []
    for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"):
        parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)


def _keys(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(each.code, each.message) for each in findings}
