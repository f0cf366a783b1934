"""What the account says of every Worker that the workspace configures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mcp_daan.cloudflare import Cloudflare
from mcp_daan.errors import DaanError, SourceError
from mcp_daan.workers.configuration.reading import Configuration
from mcp_daan.workers.deployments.account import READING, Account, Worker, hole
from mcp_daan.workers.deployments.compared import Wanted, compared
from mcp_daan.workers.finding import Finding, found

MOST_SCRIPTS = 40


@dataclass
class Deployed:
    """The Workers of the account by the configuration's path, findings, and what could not be seen."""

    workers: dict[str, list[Worker]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)


def deployed(
    cloudflare: Cloudflare, configurations: Sequence[Configuration], *, now: float, seconds: float
) -> Deployed:
    """What is deployed of *configurations*, each scope a Worker; what cannot be seen is a hole, never a failure."""
    told = Deployed()
    account = Account(cloudflare, now=now, seconds=seconds)
    pages = [config.shown for config in configurations if "pages_build_output_dir" in config.values]
    told.holes += [
        f"{path} is a Pages project, whose deployments are not looked at: see its page in the dashboard."
        for path in pages
    ]
    workers = [config for config in configurations if config.shown not in pages]
    wanted = [Wanted(config, scope) for config in workers for scope in config.scopes]
    if len(wanted) > MOST_SCRIPTS:
        told.holes.append(f"Only the first {MOST_SCRIPTS} of {len(wanted)} Workers were looked at: name one `app`.")
    for each in wanted[:MOST_SCRIPTS]:
        try:
            seen = account.worker(each.script, each.scope.environment)
        except DaanError as error:
            told.holes.append(hole(each.script, "what is deployed", error, READING))
            # What the token may not do, or nobody answers, is the same for every other Worker.
            if isinstance(error, SourceError) or not cloudflare.account_id:
                break
            continue
        if seen is None:
            told.findings.append(_absent(each))
            continue
        told.workers.setdefault(each.config.shown, []).append(seen.worker)
        told.findings += compared(each, seen)
        told.holes += [one for one in seen.holes if one not in told.holes]
    return told


def _absent(wanted: Wanted) -> Finding:
    """A Worker that is not there; beside environments, the top level often is for development only."""
    alone = len(wanted.config.scopes) == 1
    return found(
        "not_deployed",
        wanted.config.shown,
        f"The account has no deployed Worker called `{wanted.script}` ({wanted.scope.words} of the file).",
        f"{wanted.deploy} Or check CLOUDFLARE_ACCOUNT_ID, if it should be there.",
        line=wanted.line(*(wanted.scope.prefix or ("name",))),
        severity="warning" if alone or wanted.scope.environment else "info",
    )
