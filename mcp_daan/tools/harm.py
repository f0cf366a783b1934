"""Which finding presses most: by the harm that it does, and why."""

from dataclasses import dataclass

from mcp_daan.protocol import Model, Severity


@dataclass(frozen=True)
class Harm:
    """A degree of harm: the higher `weight` comes first; `reason` says what is lost."""

    weight: int
    reason: str
    codes: frozenset[str]


def _harm(weight: int, reason: str, codes: str) -> Harm:
    return Harm(weight, reason, frozenset(codes.split()))


# By what is lost, and how soon: what is known to strangers cannot be taken back, lost data comes back from nowhere,
# a customer who is cut off notices today, a deployment that fails is noticed by the team.
HARMS = (
    _harm(
        100,
        "Secrets lie open, and who read them keeps them.",
        """secret_in_config assets_exposed plaintext_at_rest nonce_reused nonce_all_zero cloudflare_global_key
        api_key_stored_hashed dev_vars_open wrangler_login_open""",
    ),
    _harm(
        90,
        "Data is damaged or cannot be made again.",
        """integrity foreign_keys migration_unknown migration_edited sealed_for_another row_size database_size
        deployed_binding_differs database_shared remote_schema""",
    ),
    _harm(
        80,
        "Customers are cut off now.",
        """loop_stuck batch_dies chain_broken client_rejected undecryptable key_opens_nothing rotation_incomplete
        key_outdated missing_token needs_reauth deployed_binding_missing deployed_cron_differs cron_slower_than_loop
        handler_missing env_not_inherited kv_namespace_missing""",
    ),
    _harm(
        70,
        "Customers will be cut off soon.",
        """refresh_stuck reauth_soon degraded some_behind duplicate_grant cron_missing deployed_errors
        cloudflare_token_expired cloudflare_token_disabled cloudflare_token_rejected cloudflare_token_expiring
        two_environments grant_client_gone grant_resource_differs refresh_storm""",
    ),
    _harm(
        60,
        "The next deployment fails, or does something else than the file says.",
        """config_unreadable config_shadowed config_redirect_broken compatibility_date_missing compatibility_date_future
        id_placeholder main_missing bundle_too_large deployed_binding_extra deployed_var_differs not_deployed
        migration_unapplied migration_out_of_order migration_number_twice""",
    ),
    _harm(
        50,
        "People and agents act on something that is not so.",
        """missing_file table_missing column_missing limit_outdated column_type_differs index_missing lesson_unmerged
        table_undocumented column_undocumented version_behind stale_file broken_link""",
    ),
    _harm(
        40,
        "It works, and costs time or money.",
        "foreign_key_indexes orphaned_rows observability_absent owner_missing states_left text_dates primary_keys",
    ),
)
# What stands in no line above: an error fails something, a warning works by luck.
OTHERS: dict[Severity, Harm] = {
    "error": Harm(55, "Something fails.", frozenset()),
    "warning": Harm(30, "It works by luck, or less well than it may.", frozenset()),
    "info": Harm(0, "Good to know.", frozenset()),
}
GRAVITY: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


class Pressing(Model):
    """A finding of one tool; `count` is how many alike it stands for, `harm` what is lost."""

    code: str
    severity: Severity
    component: str
    tool: str
    message: str
    path: str | None = None
    line: int | None = None
    next_step: str
    count: int = 1
    harm: str = ""


def harm(code: str, severity: Severity) -> Harm:
    """The harm of a finding; what only is good to know does none, whatever its code."""
    if severity == "info":
        return OTHERS["info"]
    return next((each for each in HARMS if code in each.codes), OTHERS[severity])


def most_pressing(findings: list[Pressing], limit: int) -> list[Pressing]:
    """The *limit* most pressing of *findings*: those alike as one, the most harmful first."""
    alike: dict[tuple[str, str], list[Pressing]] = {}
    for each in findings:
        if each.severity != "info":
            alike.setdefault((each.tool, each.code), []).append(each)
    ones = []
    for group in alike.values():
        first = min(group, key=lambda each: (GRAVITY[each.severity], each.path or "", each.line or 0))
        count = sum(each.count for each in group)
        ones.append(first.model_copy(update={"count": count, "harm": harm(first.code, first.severity).reason}))
    ones.sort(
        key=lambda each: (-harm(each.code, each.severity).weight, GRAVITY[each.severity], each.component, each.code)
    )
    return ones[:limit]
