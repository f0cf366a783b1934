"""What reading costs on D1's price list."""

from mcp_daan.protocol import Model

# https://developers.cloudflare.com/d1/platform/pricing/ as of 2026-04-21.
INCLUDED_ROWS_A_MONTH = 25_000_000_000
DOLLARS_A_MILLION_ROWS = 0.001
FREE_ROWS_A_DAY = 5_000_000


class Price(Model):
    """What *calls* of a statement cost in one month.

    `dollars` is what they cost beyond the rows that the paid plan includes, if nothing else reads; `includedShare` how
    much of those they use. `freeCallsPerDay` is how often the statement can run on the free plan.
    """

    calls: int
    rows_read: int
    dollars: float
    dollars_without_included: float
    included_share: float
    free_calls_per_day: int | None


def price(rows: int, calls: int) -> Price:
    """The price of *calls* that read *rows* each."""
    total = rows * calls
    return Price(
        calls=calls,
        rows_read=total,
        dollars=round(max(0, total - INCLUDED_ROWS_A_MONTH) / 1e6 * DOLLARS_A_MILLION_ROWS, 6),
        dollars_without_included=round(total / 1e6 * DOLLARS_A_MILLION_ROWS, 6),
        included_share=round(total / INCLUDED_ROWS_A_MONTH, 6),
        free_calls_per_day=FREE_ROWS_A_DAY // rows if rows else None,
    )
