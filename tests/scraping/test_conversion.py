"""HTML reads the same as markdown, and a hostile page costs no more than another."""

import time

import pytest
from markdown_it import MarkdownIt

from mcp_daan.knowledge.scraping.conversion import markdown_address, to_markdown

URL = "https://docs.example/d1/limits/"


def body(html: str) -> str:
    """*html* as markdown."""
    return to_markdown(html, URL)[1]


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<h2>Limits  of <code>D1</code></h2>", "## Limits of `D1`"),
        ("<p>a <strong>b</strong> <em>c</em> <del>d</del></p>", "a **b** *c* ~~d~~"),
        ("<p>one<p>two", "one\n\ntwo"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
        ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
        ("<pre><code class='language-sql'>SELECT 1;\n  -- x</code></pre>", "```sql\nSELECT 1;\n  -- x\n```"),
        ("<pre>a ``` b</pre>", "````\na ``` b\n````"),
        ("<p><code>a`b</code></p>", "``a`b``"),
        ("<a href='../kv/#x'>KV</a>", "[KV](https://docs.example/d1/kv/#x)"),
        ("<a href='javascript:evil()'>x</a> <a href='data:text/html,x'>y</a>", "x y"),
        ("<a href='#here'>x</a>", "x"),
        ("<a href='/a (b)'>x</a>", "[x](https://docs.example/a%20%28b%29)"),
        ("<table><tr><th>a<th>b<tr><td>1 | 2<td>3</table>", "| a | b |\n|---|---|\n| 1 \\| 2 | 3 |"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<p>x<br>y</p>", "x  \ny"),
        (
            "<p># no heading</p><p>1. no list</p><p>- none</p><p>&gt; none</p>",
            "\\# no heading\n\n1\\. no list\n\n\\- none\n\n\\> none",
        ),
        ("<p>*a* _b_ [c] snake_case &lt;Tag&gt; a &lt; b</p>", "\\*a\\* \\_b\\_ \\[c\\] snake_case \\<Tag> a < b"),
        ("<p>seen</p><p hidden>no</p><div style='DISPLAY : none'>no</div><!-- no --><template>no</template>", "seen"),
        ("<nav>no</nav><main><header><h1>T</h1></header>yes</main><footer>no</footer>", "# T\n\nyes"),
        ("<img src=x alt='A map'>", "A map"),
        ("a &amp;amp; b &#60;i&#62;", "a &amp; b \\<i>"),
        ("a < b and <3 and </ x", "a < b and <3 and </ x"),
        ("<p>left open <b>bold", "left open **bold**"),
        ("</div></p>closed too often", "closed too often"),
        ('<a href="x>y', ""),
        ("<script>if (a < b) { '</p>' }</script>text", "text"),
        ("text<script>never closed", "text"),
    ],
)
def test_html_reads_the_same_as_markdown(html: str, markdown: str) -> None:
    """What has a form in markdown gets it; what would get one by accident does not."""
    assert body(html) == f"{markdown}\n"


def test_the_title_and_the_other_form_are_found() -> None:
    """In the head of the page."""
    head = "<title>D1 &amp; limits</title><link href='index.md' type='text/markdown' rel='alternate'>"

    assert to_markdown(f"{head}<main>x</main>", URL) == ("D1 & limits", "x\n")
    assert markdown_address(head, URL) == f"{URL}index.md"
    assert markdown_address("<link rel=alternate type=text/html href=x>", URL) is None


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<!",
        "<!--",
        "<a ",
        '<a href="',
        "&#",
        "&amp",
        "<div>",
        "<b>x",
        "<tr><td>x",
        "<ul><li>",
        "<pre><code>",
        "</p>",
        "*",
        "<![CDATA[",
        "<?",
        "<script>",
        "`",
        "<p>x",
        "\n",
    ],
)
def test_a_hostile_page_costs_no_more_than_another(piece: str) -> None:
    """Four times as much takes about four times as long, never sixteen times."""
    took = []
    for count in (5_000, 20_000):
        begin = time.process_time()
        body(piece * count)
        took.append(time.process_time() - begin)

    assert took[1] < 10 * took[0] + 0.3


def test_markdown_of_any_text_shows_that_text() -> None:
    """Rendered again, a paragraph of marks is the paragraph that it was."""
    text = "# a * b _ c ` d [e](f) ~~~ g | h <i> \\ j > k + l - m 1. n == o"
    html = f"<p>{text.replace('<', '&lt;').replace('>', '&gt;')}</p>"
    shown = MarkdownIt("commonmark").render(body(html))

    assert shown.strip() == html
