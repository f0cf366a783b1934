"""Skills over MCP (SEP-2640): the team's workflows, for clients that know the extension.

They are the prompts of the same name, in the form of skills; a client without the extension sees resources.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from mcp_daan.server.briefs import PROMPTS
from mcp_daan.server.callers import Context, offered
from mcp_daan.server.offer import Offer

EXTENSION = "io.modelcontextprotocol/skills"
SCHEME = "skill://"
MIME_TYPE = "text/markdown"
HOUR = 3_600_000
# Skill → the prompt that says the same, and when an agent should take it up.
SKILLS = {
    "kennisvalidatie": (
        "kennisvalidatie",
        "The team's mandatory first step. Use it before any task in this workspace.",
    ),
    "token-incident": ("token_incident", "Find out why connections fail. Use it when tokens, refreshes or syncs fail."),
    "migration-review": ("migration_review", "Review a D1 migration. Use it before a migration is applied or merged."),
}
# A prompt is filled in when it is asked for; a skill is read before anything is known.
WORDS = {
    "connection": "the one you were asked about, or all of them",
    "database": "the database you were asked about",
    "facts": "call `tokens_health`",
}


@dataclass(frozen=True)
class Skill:
    """A workflow as one file."""

    name: str
    description: str
    prompt: str
    text: str

    @property
    def uri(self) -> str:
        """Where its file is read."""
        return f"{SCHEME}{self.name}/SKILL.md"

    @property
    def entry(self) -> dict[str, Any]:
        """The skill as it is listed: what it is, and its file with the digest that tells a change."""
        content = self.text.encode()
        file = {"uri": self.uri, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}
        frontmatter = {"name": self.name, "description": self.description}
        return {"uri": self.uri, "frontmatter": frontmatter, "resources": [file]}

    @property
    def resource(self) -> types.Resource:
        """The file as a resource."""
        return types.Resource(
            uri=self.uri,
            name=self.name,
            description=self.description,
            mime_type=MIME_TYPE,
            size=len(self.text.encode()),
        )


class GetSkillParams(types.RequestParams):
    """What `skills/get` takes."""

    uri: str


def skills(offer: Offer) -> list[Skill]:
    """The skills whose tools are offered."""
    return [skill for skill in _all() if offer.holds(*PROMPTS[skill.prompt].needs)]


def add_skills(server: Server[Any], offer: Offer, scope: str) -> None:
    """Let *server* tell of the extension and answer its requests."""
    fresh = {"ttlMs": HOUR, "cacheScope": scope}

    async def list_skills(context: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        return {"skills": [skill.entry for skill in skills(offered(offer, context))], **fresh}

    async def get_skill(context: Context, params: GetSkillParams) -> dict[str, Any]:
        found = next((skill for skill in skills(offered(offer, context)) if skill.uri == params.uri), None)
        if found is None:
            raise MCPError(types.INVALID_PARAMS, "There is no such skill; `skills/list` names them all.")
        return {"skill": found.entry, **fresh}

    server.add_request_handler("skills/list", types.PaginatedRequestParams, list_skills)
    server.add_request_handler("skills/get", GetSkillParams, get_skill)
    server.extensions[EXTENSION] = {}


@cache
def _all() -> tuple[Skill, ...]:
    return tuple(_skill(name, prompt, description) for name, (prompt, description) in SKILLS.items())


def _skill(name: str, prompt: str, description: str) -> Skill:
    file = files("mcp_daan").joinpath("prompts", f"{prompt}.{PROMPTS[prompt].language}.md")
    body = Template(file.read_text(encoding="utf-8")).substitute(WORDS)
    return Skill(name, description, prompt, f"---\nname: {name}\ndescription: {description}\n---\n\n{body}")
