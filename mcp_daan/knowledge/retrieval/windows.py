"""Pieces of a document that are short enough for a model to take in whole."""

import re

# Longer ones blur what they say, shorter ones lose it: bench/search.py measures it.
WINDOW_CHARACTERS = 250
HEADING_CHARACTERS = 200
_LINK_TARGET = re.compile(r"\]\([^)\s]*\)")
_WORD = re.compile(r"\S+")


def windows(body: str) -> list[tuple[int, str]]:
    """Where each piece of *body* begins, and its text without link targets; one empty piece for an empty body."""
    plain = _LINK_TARGET.sub(lambda target: "]" + " " * (len(target[0]) - 1), body)
    pieces: list[tuple[int, str]] = []
    begin, held, size = 0, list[str](), 0
    for found in _WORD.finditer(plain):
        word = found[0][:WINDOW_CHARACTERS]
        if held and size + len(word) > WINDOW_CHARACTERS:
            pieces.append((begin, " ".join(held)))
            held, size = [], 0
        if not held:
            begin = found.start()
        held.append(word)
        size += len(word) + 1
    if held or not pieces:
        pieces.append((begin, " ".join(held)))
    return pieces


def headed(title: str, address: str, piece: str) -> str:
    """*piece* as the model reads it: under its heading path, else its document's title."""
    return f"{(address.replace(' > ', ': ') or title)[:HEADING_CHARACTERS]}. {piece}"
