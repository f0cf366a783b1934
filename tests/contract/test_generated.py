"""What is generated from the tools is up to date."""

from tests.generate import ROOT, SNAPSHOTS, generated


def test_schemas_reference_and_readme_are_as_the_code_says() -> None:
    """A tool that changes changes them too: run `make docs` and read the difference."""
    stale = [
        str(path.relative_to(ROOT))
        for path, text in generated().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]

    assert stale == []


def test_no_snapshot_is_left_of_a_tool_that_is_gone() -> None:
    """A file without a tool would look like a promise."""
    assert sorted(SNAPSHOTS.glob("*.json")) == sorted(path for path in generated() if path.parent == SNAPSHOTS)
