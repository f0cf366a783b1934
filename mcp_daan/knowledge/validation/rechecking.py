"""The checks of one document once more, as if its text were another: by this a patch is tried before it is suggested."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mcp_daan.knowledge.validation.claims.reading import read_claims
from mcp_daan.knowledge.validation.claims.said import Claims
from mcp_daan.knowledge.validation.coverage import Coverage, coverage
from mcp_daan.knowledge.validation.drift import Schema, drift
from mcp_daan.knowledge.validation.findings import Finding
from mcp_daan.knowledge.validation.limits import limit_findings
from mcp_daan.knowledge.validation.links import LinkCheck
from mcp_daan.knowledge.validation.written import Written, reread


@dataclass(frozen=True)
class Claimed:
    """What the documents say about the databases, by document, and what it is held against; *main* describes all."""

    said: Mapping[str, Claims]
    schemas: Sequence[Schema]
    main: str

    @property
    def known(self) -> frozenset[str]:
        """The tables that there are, in small letters."""
        return frozenset(table.name.lower() for schema in self.schemas for table in schema.tables)

    def findings(self) -> list[Finding]:
        """Where they differ."""
        return drift(self.said, self.schemas, main=self.main)

    def coverage(self) -> Coverage | None:
        """How much of the databases they tell; None without a database."""
        return coverage(self.said, self.schemas)


def claimed(documents: Sequence[Written], schemas: Sequence[Schema], main: str) -> Claimed:
    """What *documents* say about the databases."""
    empty = Claimed({}, schemas, main)
    said = {
        each.name: read_claims(each.blocks, empty.known, main=each.name == main) for each in documents if each.describes
    }
    return Claimed(said, schemas, main)


@dataclass(frozen=True)
class Recheck:
    """Tells what is found in a document of the team's own if its text is another."""

    documents: Mapping[str, Written]
    claimed: Claimed
    links: LinkCheck
    versions: Callable[[Written], Sequence[Finding]]

    def __call__(self, name: str, text: str) -> Iterator[Finding]:
        """The findings of the document *name* with *text*, and those about tables that are described nowhere."""
        document = reread(self.documents[name], text)
        yield from document_findings(self.links, document)
        yield from self.versions(document)
        if document.describes:
            claims = read_claims(document.blocks, self.claimed.known, main=name == self.claimed.main)
            yield from replace(self.claimed, said={**self.claimed.said, name: claims}).findings()


def document_findings(links: LinkCheck, document: Written) -> Iterator[Finding]:
    """Links that lead nowhere, and limits that are not today's."""
    # A page of others has links of its own site; a lesson speaks of files as they were.
    if not (document.scraped or document.lesson):
        yield from links.findings(document.path, document.blocks, cited=document.describes)
    yield from limit_findings(document.name, document.blocks, component=document.component)
