"""Read what a document says about databases."""

from mcp_daan.knowledge.validation.claims.code import read_fence
from mcp_daan.knowledge.validation.claims.lists import read_list
from mcp_daan.knowledge.validation.claims.said import Claims
from mcp_daan.knowledge.validation.claims.subjects import subject_of
from mcp_daan.knowledge.validation.claims.tables import read_table
from mcp_daan.knowledge.validation.claims.text import read_text_of
from mcp_daan.knowledge.validation.passages import Block, Document


def read_claims(document: Document, known: frozenset[str], *, main: bool = True) -> Claims:
    """What *document* says, given the tables (small letters) that are *known* to be there.

    A word in a text may be anything, so only a *main* document, which is about the database, claims tables and
    indexes in running text; columns are claimed there as `table.column` of a known table.
    """
    claims = Claims()
    for block in document.today:
        _read(block, known, main, claims)
    _set_aside(document, known, main, claims)
    return claims


def _read(block: Block, known: frozenset[str], main: bool, claims: Claims) -> None:
    subject = subject_of(block, known, main=main)
    if subject is not None:
        words = (span.text.lower() for prose in block.texts for span in prose.spans if span.kind == "code")
        claims.mentioned |= {(subject.name.lower(), word) for word in words}
        if block.kind == "heading" and subject.certain:
            claims.table(subject.name, block.prose.line, block)
    if block.kind == "table":
        read_table(block, subject, claims)
    elif block.kind == "list":
        read_list(block, subject, main=main, claims=claims)
    elif block.kind == "fence":
        read_fence(block, claims)
    if block.kind in ("paragraph", "list", "table"):
        read_text_of(block, subject, known, main=main, claims=claims)


def _set_aside(document: Document, known: frozenset[str], main: bool, claims: Claims) -> None:
    """Remember what the parts set aside are about: nobody shall ask for it as undocumented."""
    hidden = Claims()
    for block in document.aside:
        _read(block, known, main, hidden)
        subject = subject_of(block, known, main=main)
        if subject is not None:
            claims.aside.add(subject.name.lower())
    claims.aside |= {claim.name.lower() for claim in hidden.tables}
    claims.mentioned |= hidden.mentioned | {(claim.table.lower(), claim.name.lower()) for claim in hidden.columns}
