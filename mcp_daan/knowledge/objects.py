"""Git's objects, many at once."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mcp_daan.knowledge.lessons.lessons import VIEW_BYTES
from mcp_daan.knowledge.repository import git


def objects(root: Path, names: Sequence[str], kind: bytes) -> list[tuple[str, bytes] | None]:
    """(hash, contents) of each named object that exists, is of that *kind* and not too large; each is read once."""
    hashes = _hashes(root, names, kind)
    contents = dict(_contents(root, [each for each in dict.fromkeys(hashes) if each]))
    return [(each, contents[each]) if each else None for each in hashes]


def texts(root: Path, blobs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(hash, text) of each blob that is no larger than a lesson or view may be; what is not UTF-8 is marked in it."""
    for each in objects(root, list(blobs), b"blob"):
        if each is not None:
            yield each[0], each[1].decode("utf-8", "replace")


def _hashes(root: Path, names: Sequence[str], kind: bytes) -> list[str | None]:
    if not names:
        return []
    asked = "\n".join([*names, ""]).encode("utf-8", "surrogateescape")
    hashes: list[str | None] = []
    for line in git(root, "cat-file", "--batch-check", stdin=asked).splitlines():
        words = line.split(b" ")
        right = len(words) == 3 and words[1] == kind and int(words[2]) <= VIEW_BYTES
        hashes.append(words[0].decode() if right else None)
    return hashes


def _contents(root: Path, hashes: list[str]) -> Iterator[tuple[str, bytes]]:
    if not hashes:
        return
    answer = git(root, "cat-file", "--batch", stdin="".join(f"{each}\n" for each in hashes).encode())
    place = 0
    for name in hashes:
        end = answer.index(b"\n", place)
        size = int(answer[place:end].split(b" ")[2])
        yield name, answer[end + 1 : end + 1 + size]
        place = end + 1 + size + 1
