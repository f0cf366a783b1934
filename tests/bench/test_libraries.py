"""Servers that keep documents get their own copy, once, and one that cannot read it is told of."""

import sys
from pathlib import Path

import pytest

from bench.peers.field import Peer
from bench.peers.libraries import Library, fed

# Counts its runs, and works at the second one.
AT_THE_SECOND = (
    "import pathlib, sys; p = pathlib.Path('runs'); p.open('a').write('x'); sys.exit(len(p.read_text()) < 2)"
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """One page, in a folder that may not be written."""
    folder = tmp_path / "corpus"
    (folder / "part").mkdir(parents=True)
    (folder / "part/a.md").write_text("# A\n")
    (folder / "part").chmod(0o555)
    return folder


def library(place: Path, command: str) -> Library:
    """A server that reads its documents by running *command*."""
    peer = Peer("agents-docs", [], None, {"HOME": str(place / "home")})
    return Library(peer, place / "docs", [sys.executable, "-c", command])


def test_the_documents_are_read_once_from_a_copy_that_may_be_written(tmp_path: Path, corpus: Path) -> None:
    """A try that failed is made again, a run that worked is not."""
    one = library(tmp_path / "library", AT_THE_SECOND)
    said = [fed(one, corpus), fed(one, corpus)]

    assert said == ["", ""]
    assert (tmp_path / "library/home/runs").read_text() == "xx"
    assert (one.copy / "part").stat().st_mode & 0o777 == 0o755
    assert (one.copy / "part/a.md").read_text() == "# A\n"


def test_who_cannot_read_them_says_why(tmp_path: Path, corpus: Path) -> None:
    """And is asked again in the next run."""
    said = fed(library(tmp_path / "library", "import sys; sys.exit('the disk is full')"), corpus)

    assert said == "it could not read the documents (the disk is full)"
    assert not (tmp_path / "library/fed").exists()
