"""`python -m tests.conformance` prints what the suite says of our server."""

import sys

from tests.conformance.suite import (
    FIXTURES,
    FREE,
    PLAIN,
    SKILL,
    SKILLS,
    counts,
    run,
    scored,
    serving,
    totals,
    workspace,
)


def main() -> None:
    """Run all of it."""
    with workspace() as root:
        with serving(FIXTURES, root) as url:
            for revision in FREE:
                found = scored(run("conformance", url, "--requirements", revision)[1])
                sys.stdout.write(f"0.2.0-alpha.12, {revision}, scored: {totals(found)}\n")
            sys.stdout.write(f"0.1.16, active: {totals(counts(run('conformance-old', url)[1]))}\n")
        with serving(PLAIN, root) as url:
            for revision, free in FREE.items():
                found = counts(run("conformance", url, "--requirements", revision)[1])
                told = totals({name: found[name] for name in free})
                sys.stdout.write(f"0.2.0-alpha.12, {revision}, the plain server without fixtures: {told}\n")
            for skill in SKILLS:
                printed = run("conformance", url, "--scenario", skill)[1]
                passed, total, failed, warned = SKILL.findall(printed)[0]
                sys.stdout.write(f"{skill}: {passed}/{total} passed, {failed} failed, {warned} warnings\n")


main()
