"""Links and cited paths that lead nowhere, and those that do not."""

import pytest


@pytest.mark.parametrize(
    "text",
    [
        "[runbook](RUNBOOK.md)",
        "[up](../../gone.md)",
        "![image](images/schema.png)",
        "[schema](DATABASE.md#no-such-heading)",
        "[here](#no-such-heading)",
        "[from the root](/docs/gone.md)",
        "[uri](knowledge://backend/GONE.md)",
        "[by reference][r]\n\n[r]: gone.md",
        "| where |\n|---|\n| [cell](gone.md) |",
        "- an item with [a link](gone.md)",
        "The code is in `apps/portal/src/auth.ts`.",
        "See `src/auth.ts:12`.",
        "[outside](../../../../../../etc/passwd)",
    ],
)
def test_what_leads_nowhere_is_found(team, text) -> None:
    """A warning with the line, whatever form the link has."""
    team.document("NOTES.md", f"# Notes\n\n{text}\n")

    found = team.only("broken_link")
    assert (found["path"], found["severity"]) == ("backend/NOTES.md", "warning")
    assert found["line"] >= 3


@pytest.mark.parametrize(
    "text",
    [
        "[schema](DATABASE.md#users) and [table](DATABASE.md#tabel-connections)",
        "[here](#notes) and [top](#)",
        "[from the root](/docs/knowledge/backend/DATABASE.md) [from the base](/backend/DATABASE.md)",
        "[uri](knowledge://backend/DATABASE.md) [web](https://example.test/x) [mail](mailto:a@example.test) [d](d1://x/y)",
        "[folder](../backend) [spaced](./with%20space.md) [query](DATABASE.md?plain=1)",
        "[code](../../../apps/portal/package.json#L1)",
        '<a id="mark"></a>\n\n[mark](#mark)',
        "The files `apps/portal/wrangler.json`, `backend/DATABASE.md`, `scraped/d1-limits.md` and `migrations/0001_users.sql`.",
        "`@astrojs/cloudflare/entrypoints/server`, `application/json`, `GET /accounts/x`, `dist/_worker.js/index.js`",
        "`node_modules/x/y.js`, `.wrangler/deploy/config.json`, `owner/repo`, `path/to/file.ts`, `src/*.ts`, `apps/<app>/x.ts`",
        "`src/old.ts` was removed.",
        "```sh\ncat apps/portal/gone.ts\n```",
        "<!-- daan:ignore -->\n\n[gone](gone.md)",
        "## History\n\n[gone](gone.md)",
        "[r] and [x][y] are no links.",
    ],
)
def test_what_leads_somewhere_or_is_no_link_is_left_alone(team, text) -> None:
    """Every form of a good link, and what only looks like one."""
    team.document("NOTES.md", f"# Notes\n\n{text}\n")
    team.document("with space.md", "# Space\n")

    assert team.findings() == []


def test_a_link_that_leaves_the_workspace_is_not_followed(team, tmp_path) -> None:
    """Whether something exists outside is not told, by a link on disk either."""
    outside = tmp_path / "outside.md"
    outside.write_text("# Outside\n")
    (team.folder / "inside.md").symlink_to(outside)
    team.document("NOTES.md", "# Notes\n\n[a](../../../../outside.md) [b](../../../../nothing.md) [c](inside.md)\n")

    said = [each["message"] for each in team.findings()]
    assert said == [
        "The link to ../../../../nothing.md leads out of the workspace, where it is not followed.",
        "The link to ../../../../outside.md leads out of the workspace, where it is not followed.",
        "The link to inside.md leads to no file.",
    ]


def test_repeated_headings_have_numbered_anchors(team) -> None:
    """As GitHub numbers them, with code and signs in the heading."""
    team.document("NOTES.md", "# Notes\n\n## What's `a_b`?\n\n## Again\n\n## Again\n\n[a](#whats-a_b) [b](#again-1)\n")

    assert team.findings() == []


def test_the_links_of_the_generated_lessons_are_ours(team) -> None:
    """LESSONS-LEARNED.md links to the lessons' files; by hand it may link anywhere that exists."""
    team.document("LESSONS-LEARNED.md", "# Lessons\n\n## One\n\nSee [the page](scraped/gone.md), and `src/gone.ts`.\n")

    assert "scraped/gone.md" in team.only("broken_link")["message"]
