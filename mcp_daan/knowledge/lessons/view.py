"""LESSONS-LEARNED.md: what people read, brought up to date from the lesson files."""

from collections.abc import Iterable
from urllib.parse import quote

from mcp_daan.errors import Unavailable
from mcp_daan.knowledge import repository
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.handwritten import END, START, generated
from mcp_daan.knowledge.lessons.lessons import COMPONENTS, FOLDER, VIEW, Lesson, read_lessons
from mcp_daan.knowledge.lessons.publishing import exclusive, replace, sweep
from mcp_daan.knowledge.lessons.wording import guarded
from mcp_daan.knowledge.markdown import lines_of, read_text

_NAMES = {"d1": "D1", "workers": "Workers", "oauth": "OAuth", "astro": "Astro", None: "Other"}


def heal_view(base: KnowledgeBase) -> bool:
    """Bring LESSONS-LEARNED.md up to date with the lesson files; whether that changed it.

    Only where HEAD is on the default branch or there is no git, and never in the embedded knowledge base: a branch
    that leaves the view alone cannot conflict in it. What people wrote outside the marked lines stays as it is.
    Raises Unavailable when the file cannot be read or written, or git cannot tell the branch.
    """
    if base.origin == "embedded" or not base.folder.is_dir() or base.folder.is_symlink() or _wanted(base) is None:
        return False
    if base.origin == "workspace" and not repository.on_default_branch(base.root):
        return False
    with exclusive(base.folder) as whole:
        if whole:
            sweep(base.folder)
        wanted = _wanted(base)  # anew: another process may have written meanwhile
        if wanted is not None:
            replace(base.folder / VIEW, wanted.encode())
    return wanted is not None


def rendered(text: str, lessons: Iterable[Lesson]) -> str:
    """*text* with the lessons in place of its generated lines, or after its last line; the other lines as they are."""
    newline = "\r\n" if "\r\n" in text else "\n"
    region = newline.join([START, "", *_body(lessons), END, ""])
    lines = lines_of(text)
    regions = generated(lines)
    for start, end in reversed(regions):
        lines[start:end] = [region] if start == regions[0][0] else []
    if not regions:
        above = text or f"# Lessons learned{newline}"
        blank = 0 if above.endswith(newline * 2) else 1 if above.endswith(newline) else 2
        lines = [above, newline * blank, region]
    return "".join(lines)


def _wanted(base: KnowledgeBase) -> str | None:
    """What the view should say; None when it says so, or there is nothing to say."""
    file = base.folder / VIEW
    if file.is_symlink():
        raise Unavailable(f"{VIEW} is a link and is left alone.", advice=f"Put a file in the place of {VIEW}.")
    text = read_text(file) if file.exists() else ""
    lessons = [each for each in read_lessons(base) if each.line is None]
    if not lessons and not generated(lines_of(text)):
        return None
    wanted = rendered(text, lessons)
    return wanted if wanted != text else None


def _body(lessons: Iterable[Lesson]) -> list[str]:
    """Grouped by component, newest first; of one day by file name, so that every machine writes the same."""
    ordered = sorted(lessons, key=lambda each: each.path)
    ordered.sort(key=lambda each: each.date or "", reverse=True)
    paths = {each.id: each.path for each in ordered}
    lines: list[str] = []
    for component in (*COMPONENTS, None):
        group = [each for each in ordered if each.component == component]
        if group:
            lines += [f"## {_NAMES[component]}", ""]
        for lesson in group:
            lines += _entry(lesson, paths)
    return lines


def _entry(lesson: Lesson, paths: dict[str, str]) -> list[str]:
    about = [lesson.date or "undated", *([lesson.author] if lesson.author else []), _link(lesson.path)]
    lines = [f"### {lesson.title}", "", " · ".join(about)]
    if lesson.superseded_by:
        lines += ["", f"Superseded by {_link(paths[lesson.superseded_by])}."]
    for name in ("problem", "solution", "evidence"):
        text = getattr(lesson, name)
        if text:
            lines += ["", f"**{name.capitalize()}**", "", *guarded(text, 3).split("\n")]
    return [*lines, ""]


def _link(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return f"[{name.removesuffix('.md')}]({FOLDER}/{quote(name)})"
