"""How many requests a second a team's server answers, beside the SDK's own echo server."""
