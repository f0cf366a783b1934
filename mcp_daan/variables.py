"""Variables of the environment, as the start reads them: nothing that takes time is imported here."""

from collections.abc import Mapping

# The switches at start, as variables.
SWITCH_VARIABLES = ("DAAN_READ_ONLY", "DAAN_TOOLS", "DAAN_EXCLUDE_TOOLS", "DAAN_TOOLSETS")
# Variables that are not `[section] name`.
OWN_VARIABLES = {"DAAN_WORKSPACE", "DAAN_NOW", "DAAN_CLOUDFLARE_API", *SWITCH_VARIABLES, "DAAN_HTTP_CLIENT_SECRET"}
# A client hands over `${NAME}` as it stands where NAME is not set.
UNFILLED = "${"


def filled(environment: Mapping[str, str]) -> dict[str, str]:
    """*environment* without the variables whose value a client left unfilled, `${…}`: they count as not set."""
    return {name: value for name, value in environment.items() if not value.startswith(UNFILLED)}
