"""HTML to markdown, as far as pages of documentation need it: headings, text, lists, tables, code, links."""

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from mcp_daan.knowledge.scraping.tokens import End, Start, Text, tokens

DEPTH = 200
# What is no text of the page.
_DROPPED = set(
    "script style template noscript svg math iframe object embed canvas form button select input textarea nav footer"
    " header aside dialog video audio head".split()
)
_VOID = set("area base br col embed hr img input link meta param source track wbr".split())
_BLOCKS = set(
    "p div section article main figure figcaption details summary address dl dt dd center fieldset body html".split()
)
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~"}
_SPECIAL = re.compile(r"([\\`*\[\]])|<(?=[A-Za-z/!?])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# What would begin a block of its own at the start of a line.
_OPENING = re.compile(
    r"^(\s{0,3})(#{1,6}(?=\s|$)|[-+](?=\s|$)|\d{1,9}(?=[.)](?:\s|$))|>|~{3,}|=+(?=\s*$)|-{2,}(?=\s*$)|\|)"
)
_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight-source)-([\w+#-]{1,20})")


def to_markdown(html: str, url: str) -> tuple[str, str]:
    """The title and the main part of *html* as markdown; links are made absolute by *url*."""
    reader = _Reader(url)
    for token in tokens(html):
        reader.take(token)
    reader.finish()
    title = " ".join(reader.title.split())
    return title, re.sub(r"\n{3,}", "\n\n", reader.written()).strip() + "\n"


def markdown_address(html: str, url: str) -> str | None:
    """Where *html* says that the same page stands as markdown."""
    for tag in re.findall(r"<link\b[^>]{1,1000}>", html[:200_000], re.I):
        if re.search(r"type\s*=\s*[\"']?text/markdown", tag, re.I) and re.search(
            r"rel\s*=\s*[\"']?alternate", tag, re.I
        ):
            found = re.search(r"href\s*=\s*[\"']([^\"']{1,2000})", tag, re.I)
            if found:
                return str(urljoin(url, found[1]))
    return None


@dataclass
class _Open:
    """An element whose end is awaited: what it writes before its text, and its text so far."""

    tag: str
    parts: list[str] = field(default_factory=list)
    target: str = ""
    count: int = 0


class _Reader:
    def __init__(self, url: str) -> None:
        self._url = url
        self._stack: list[_Open] = [_Open("")]
        self._dropped = 0
        self._drop_tag = ""
        self._pre = 0
        self._in_title = False
        self._main = ""
        self.title = ""

    def written(self) -> str:
        """What was read; the main part where the page has one."""
        return self._main or "".join(self._stack[0].parts)

    def finish(self) -> None:
        """Close what the page left open."""
        while len(self._stack) > 1:
            self._close()

    def take(self, token: Text | Start | End) -> None:
        """Go on with *token*."""
        if isinstance(token, Text):
            self._text(token.text)
        elif isinstance(token, Start):
            self._start(token.tag, token.values)
        else:
            self._end(token.tag)

    def _start(self, tag: str, values: dict[str, str]) -> None:
        if self._dropped:
            self._dropped += tag == self._drop_tag and tag not in _VOID
            return
        if tag == "title" and not self.title:
            self._in_title = True
        if (tag in _DROPPED and not (tag == "header" and self._inside("main", "article"))) or _hidden(values):
            if tag not in _VOID:
                self._dropped, self._drop_tag = 1, tag
            return
        if tag in _VOID:
            self._void(tag, values)
        elif len(self._stack) < DEPTH:
            self._open(tag, values)

    def _end(self, tag: str) -> None:
        if self._dropped:
            self._dropped -= tag == self._drop_tag
            return
        self._in_title = self._in_title and tag != "title"
        # A closing tag that nothing opened closes nothing.
        if any(each.tag == tag for each in self._stack[1:]):
            while self._stack[-1].tag != tag:
                self._close()
            self._close()

    def _text(self, data: str) -> None:
        if self._in_title:
            self.title += data[:500]
        if self._dropped or not data:
            return
        if self._pre:
            self._write(data)
        elif data.strip():
            before = " " if data[0].isspace() else ""
            after = " " if data[-1].isspace() else ""
            text = " ".join(data.split())
            self._write(before + (text if self._stack[-1].tag == "code" else self._escaped(text)) + after)
        elif self._text_before():
            self._write(" ")

    def _escaped(self, text: str) -> str:
        """*text* as it reads the same in markdown, at the start of a line too."""
        plain = _SPECIAL.sub(r"\\\g<0>", text)
        parts = self._stack[-1].parts
        return plain if parts and not parts[-1].endswith("\n") else _OPENING.sub(_opening, plain)

    def _inside(self, *tags: str) -> bool:
        return any(each.tag in tags for each in self._stack)

    def _text_before(self) -> bool:
        parts = self._stack[-1].parts
        return bool(parts) and not parts[-1].endswith((" ", "\n"))

    def _write(self, text: str) -> None:
        self._stack[-1].parts.append(text)

    def _void(self, tag: str, values: dict[str, str]) -> None:
        if tag == "br":
            self._write("\n" if self._pre else "  \n")
        elif tag == "hr":
            self._write("\n\n---\n\n")
        elif tag == "img" and values.get("alt"):
            self._write(_SPECIAL.sub(r"\\\g<0>", " ".join(values["alt"].split())))

    def _open(self, tag: str, values: dict[str, str]) -> None:
        # Lists and rows that are not closed: a new one ends the one before.
        for same, outer in (("li", "ul ol"), ("tr", "table"), ("td", "tr"), ("th", "tr"), ("dt", "dl"), ("dd", "dl")):
            if tag == same:
                self._end_open(same, outer.split())
        if tag == "p":
            self._end_open("p", ["li", "blockquote", "td", "th", "div", "section", "article", "main", "body"])
        opened = _Open(tag)
        if tag == "a":
            opened.target = _target(values.get("href", ""), self._url)
        elif tag == "ol":
            opened.count = int(values["start"]) if re.fullmatch(r"\d{1,6}", values.get("start", "")) else 1
        elif tag in ("pre", "code"):
            found = _LANGUAGE.search(f" {values.get('class', '')} ")
            opened.target = found[1] if found else values.get("data-language", "")[:20]
            self._pre += tag == "pre"
        self._stack.append(opened)

    def _end_open(self, tag: str, within: list[str]) -> None:
        for place in range(len(self._stack) - 1, 0, -1):
            if self._stack[place].tag == tag:
                while len(self._stack) > place:
                    self._close()
                return
            if self._stack[place].tag in within:
                return

    def _close(self) -> None:
        done = self._stack.pop()
        outer = self._stack[-1]
        text = "".join(done.parts)
        if done.tag == "pre":
            self._pre -= 1
        outer.parts.append(self._made(done, outer, text))
        if (
            done.tag in ("main", "article")
            and len(text.strip()) > len(self._main)
            and not self._inside("main", "article")
        ):
            self._main = text

    def _made(self, done: _Open, outer: _Open, text: str) -> str:
        """What the element *done* is as markdown, inside *outer*."""
        tag = done.tag
        if tag == "pre":
            return _fenced(text, done.target)
        if tag == "code":
            if self._pre:
                outer.target = outer.target or done.target
                return text
            return _coded(text)
        if tag in _MARKS:
            return _marked(text, _MARKS[tag])
        if tag == "a":
            return f"[{_line(text)}]({done.target})" if done.target and _line(text) else text
        if re.fullmatch(r"h[1-6]", tag):
            return f"\n\n{'#' * int(tag[1])} {_line(text)}\n\n" if _line(text) else ""
        if tag == "li":
            return _item(text, outer)
        if tag in ("ul", "ol"):
            return f"\n{text.rstrip()}\n" if outer.tag == "li" else f"\n\n{text.strip(chr(10))}\n\n"
        if tag == "blockquote":
            quoted = "\n".join(f"> {line}".rstrip() for line in _paragraph(text).split("\n"))
            return f"\n\n{quoted}\n\n" if text.strip() else ""
        if tag in ("td", "th"):
            outer.count = max(outer.count, 1 if tag == "td" else 0)
            return _line(text).replace("|", r"\|") + " | "
        if tag == "tr":
            return f"| {text.strip().removesuffix('|').rstrip()} |\n" if text.strip() else ""
        if tag == "table":
            return _table(text)
        return f"\n\n{_paragraph(text)}\n\n" if tag in _BLOCKS and text.strip() else text


def _hidden(values: dict[str, str]) -> bool:
    style = re.sub(r"\s", "", values.get("style", "").lower())
    return "hidden" in values or "display:none" in style or "visibility:hidden" in style


def _target(href: str, url: str) -> str:
    """*href* as an absolute address of the web; "" for anchors of the page and for what is no web address."""
    try:
        whole = urljoin(url, href.strip())
        good = urlsplit(whole).scheme in ("http", "https") and not href.startswith("#")
    except ValueError:
        return ""
    if not good or not whole.isprintable():
        return ""
    return whole.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")


def _line(text: str) -> str:
    return " ".join(text.split())


def _opening(found: "re.Match[str]") -> str:
    # A number keeps its digits: the backslash goes before the dot behind it.
    return f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"


def _paragraph(text: str) -> str:
    """*text* without the blanks around its lines' blocks."""
    return "\n\n".join(part.strip(" ") for part in re.split(r"\n{2,}", text.strip("\n")) if part.strip())


def _fenced(text: str, language: str) -> str:
    code = text.strip("\n").replace("\r", "")
    longest = max((len(each) for each in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    word = language if re.fullmatch(r"[\w+#-]{1,20}", language) else ""
    return f"\n\n{fence}{word}\n{code}\n{fence}\n\n"


def _coded(text: str) -> str:
    code = _line(text)
    if not code:
        return ""
    longest = max((len(each) for each in re.findall(r"`+", code)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{fence}{pad}{code}{pad}{fence}"


def _marked(text: str, mark: str) -> str:
    inner = text.strip()
    if not inner or "\n\n" in inner or inner.startswith(mark[0]):
        return text
    return f"{' ' if text[0].isspace() else ''}{mark}{inner}{mark}{' ' if text[-1].isspace() else ''}"


def _item(text: str, outer: _Open) -> str:
    mark = f"{outer.count}. " if outer.tag == "ol" else "- "
    outer.count += 1
    body = re.sub(r"\n{3,}", "\n\n", _paragraph(text)).replace("\n", "\n" + " " * len(mark))
    return f"{mark}{body.strip()}\n"


def _table(text: str) -> str:
    rows = [line.strip() for line in text.split("\n") if line.strip().startswith("|")]
    if not rows:
        return f"\n\n{text.strip()}\n\n"
    widths = [len(re.findall(r"(?<!\\)\|", row)) - 1 for row in rows]
    width = max(widths)
    filled = [row + " |" * (width - count) for row, count in zip(rows, widths, strict=True)]
    return "\n\n" + "\n".join([filled[0], "|" + "---|" * width, *filled[1:]]) + "\n\n"
