"""Paths stay inside the knowledge folder, whatever is asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_daan.config import Knowledge
from mcp_daan.errors import NotFound, Refused, Unavailable
from mcp_daan.knowledge.base import KnowledgeBase, near_names, open_knowledge
from mcp_daan.workspace import Workspace, data_folder
from tests.knowledge.conftest import Write

OUTSIDE = [
    "../secret.md",
    "backend/../../secret.md",
    "backend/../DATABASE.md",
    "..",
    "..\\..\\secret.md",
    "backend\\..\\..\\secret.md",
    "/etc/passwd",
    "/etc/hosts.md",
    "//server/share/x.md",
    "\\\\server\\share\\x.md",
    "C:\\secret.md",
    "c:secret.md",
    "~/secret.md",
    "knowledge:///etc/hosts.md",
    "knowledge://../secret.md",
    "docs/knowledge/../../secret.md",
    "backend/DATABASE.md\0.png",
    "backend/\nDATABASE.md",
    "backend/\u202eDATABASE.md",
    "backend/\ud800.md",
    ".git/config.md",
    "backend/.hidden.md",
    "",
    ".",
    "/".join(["x"] * 2000) + ".md",
    "x" * 300 + ".md",
]


@pytest.mark.parametrize("path", OUTSIDE, ids=range(len(OUTSIDE)))
def test_a_path_that_leads_elsewhere_is_refused(path: str, base: KnowledgeBase, write: Write) -> None:
    """Even where the file it would lead to exists."""
    write("backend/DATABASE.md", "# A\n")
    write(".git/config.md", "hidden")
    write("backend/.hidden.md", "hidden")
    (base.root.parent / "secret.md").write_text("secret")
    (base.workspace.root / "secret.md").write_text("secret")

    with pytest.raises(Refused) as caught:
        base.resolve(path)

    assert "secret" not in caught.value.message


def test_a_path_that_climbs_is_told_so(base: KnowledgeBase) -> None:
    """Not that it is hidden, which its two dots would be."""
    with pytest.raises(Refused, match="climbs out"):
        base.resolve("backend/../../secret.md")


@pytest.mark.parametrize(
    "path",
    [
        "backend/DATABASE.md",
        "docs/knowledge/backend/DATABASE.md",
        "./backend//DATABASE.md",
        "backend\\DATABASE.md",
        "knowledge://backend/DATABASE.md",
    ],
)
def test_a_document_answers_to_each_form_of_its_path(path: str, base: KnowledgeBase, write: Write) -> None:
    """As `data` shows it, as `artifacts` do, and as a person of another system types it."""
    written = write("backend/DATABASE.md", "# A\n")

    assert base.resolve(path) == written


def test_what_data_and_artifacts_show_can_be_asked_for_again(base: KnowledgeBase, write: Write) -> None:
    """Also where the knowledge folder holds a folder of its own name."""
    for name in ("backend/DATABASE.md", "docs/knowledge/backend/DATABASE.md", "backend/één page.MDX"):
        path = write(name, "# A\n")

        assert base.resolve(base.relative(path)) == path

    assert base.artifact(base.root / "backend/DATABASE.md") == "docs/knowledge/backend/DATABASE.md"


@pytest.mark.parametrize("path", ["backend/link.md", "linked/secret.md", "backend/dead.md", "backend/inner.md"])
def test_a_link_is_refused_wherever_it_leads(path: str, base: KnowledgeBase, write: Write) -> None:
    """The file itself, a folder on the way, a link to nowhere, a link to a neighbour."""
    outside = base.workspace.root / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    neighbour = write("backend/DATABASE.md", "# A\n")
    (base.root / "backend/link.md").symlink_to(outside / "secret.md")
    (base.root / "backend/dead.md").symlink_to(outside / "absent.md")
    (base.root / "backend/inner.md").symlink_to(neighbour)
    (base.root / "linked").symlink_to(outside, target_is_directory=True)

    with pytest.raises(Refused, match="passes through a link"):
        base.resolve(path)

    assert [neighbour] == base.files()


@pytest.mark.parametrize("path", ["backend", "backend/notes.txt", "backend/pipe.md", "backend/absent.md"])
def test_what_is_no_document_is_not_found(path: str, base: KnowledgeBase, write: Write) -> None:
    """A folder, another kind of file, and a pipe, which would be waited upon for ever."""
    write("backend/notes.txt", "text")
    os.mkfifo(base.root / "backend/pipe.md")

    with pytest.raises(NotFound):
        base.resolve(path)

    assert base.files() == []


@pytest.mark.parametrize("path", ["DATABASE.md", "backend/DATABSE.md", "Backend/database.md", "d1/DATABASE.md"])
def test_a_name_that_is_nearly_right_gets_the_right_one_as_advice(path: str, base: KnowledgeBase, write: Write) -> None:
    """The advice can be followed as it stands."""
    write("backend/DATABASE.md", "# A\n")
    write("backend/VERSION.md", "# A\n")

    with pytest.raises(NotFound) as caught:
        base.resolve(path)

    assert caught.value.data["candidates"][0] == "backend/DATABASE.md"
    assert "backend/DATABASE.md" in caught.value.advice


def test_names_are_compared_with_thousands_of_others_in_no_time() -> None:
    """What matches by its end comes before what is spelled alike."""
    names = [f"backend/page-{number}.md" for number in range(20_000)]

    assert near_names("page-19999.md", names)[0] == "backend/page-19999.md"


def test_files_are_sorted_and_pass_over_hidden_ones_and_odd_names(base: KnowledgeBase, write: Write) -> None:
    """A name that is not UTF-8 cannot be asked for, so it is not listed."""
    for name in ("b.md", "a/z.mdx", "a.md", ".cache/x.md", "a/.x.md", "a/x.txt", "c.MD"):
        write(name, "text")
    (base.root / os.fsdecode(b"odd-\xff.md")).write_text("text")

    assert [base.relative(path) for path in base.files()] == ["a.md", "a/z.mdx", "b.md", "c.MD"]


def test_without_documents_in_the_workspace_the_embedded_ones_answer(workspace: Path) -> None:
    """And their artifacts are URIs, since they lie outside the workspace."""
    base = open_knowledge(Workspace(workspace), Knowledge())
    version = base.resolve("backend/VERSION.md")

    assert base.origin == "embedded"
    assert base.folder == base.root / "backend"
    assert base.artifact(version) == "knowledge://backend/VERSION.md"


def test_the_first_write_copies_the_embedded_documents_to_the_users_folder(workspace: Path) -> None:
    """From then on that copy answers, whole, and can be written."""
    embedded = open_knowledge(Workspace(workspace), Knowledge())
    copied = embedded.writable()
    (copied.folder / "own.md").write_text("# Own\n")

    assert copied.root == data_folder() / "knowledge"
    assert open_knowledge(Workspace(workspace), Knowledge()) == copied
    assert copied.writable() is copied
    assert {*map(embedded.relative, embedded.files()), "backend/own.md"} == set(map(copied.relative, copied.files()))
    assert [path.name for path in data_folder().iterdir()] == ["knowledge"]


SECOND = """
import os, sys
from pathlib import Path
from mcp_daan.config import Knowledge
from mcp_daan.knowledge.base import open_knowledge
from mcp_daan.workspace import Workspace, data_folder
target = data_folder() / "knowledge"
def first(event, arguments):
    if event == "os.rename" and not target.exists():
        target.mkdir()
        (target / "first.md").write_text("# First")
sys.addaudithook(first)
copied = open_knowledge(Workspace(Path(sys.argv[1])), Knowledge()).writable()
print([copied.relative(path) for path in copied.files()], os.listdir(target.parent))
"""


def test_who_is_second_to_copy_takes_the_first_ones_copy(workspace: Path) -> None:
    """Another process's copy comes to stand there just before this one's would."""
    done = subprocess.run([sys.executable, "-c", SECOND, str(workspace)], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("['first.md'] ['knowledge']\n", "")


def test_a_data_folder_that_cannot_be_written_says_so(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands in its place."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))

    with pytest.raises(Unavailable):
        open_knowledge(Workspace(workspace), Knowledge()).writable()
