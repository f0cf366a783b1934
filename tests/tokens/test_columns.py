"""Which column holds what, by its name or as declared."""

import pytest

from mcp_daan.errors import InvalidArguments
from mcp_daan.tokens.columns import ROLES, recognise, snake
from tests.tokens.conftest import Portal, ago

PORTALS = {
    "plain": (
        "id user_id provider external_user_id division status access_token_enc refresh_token_enc token_expires_at"
        " last_refreshed_at last_error last_error_at refresh_failures created_at updated_at refresh_token_expires_at",
        {
            "id": "id", "user": "user_id", "provider": "provider", "external_user": "external_user_id",
            "status": "status", "access_token": "access_token_enc", "refresh_token": "refresh_token_enc",
            "expires_at": "token_expires_at", "refreshed_at": "last_refreshed_at", "last_error": "last_error",
            "error_at": "last_error_at", "failures": "refresh_failures", "created_at": "created_at",
            "updated_at": "updated_at", "refresh_expires_at": "refresh_token_expires_at",
        },
    ),
    "camel": (
        "connectionId providerId accessToken refreshToken accessTokenExpiresAt refreshTokenExpiresAt lastRefreshSuccess"
        " lastRefreshFailure updatedAt exactUserId lastUsedAt isActive",
        {
            "id": "connectionId", "provider": "providerId", "access_token": "accessToken",
            "refresh_token": "refreshToken", "expires_at": "accessTokenExpiresAt",
            "refresh_expires_at": "refreshTokenExpiresAt", "refreshed_at": "lastRefreshSuccess",
            "last_error": "lastRefreshFailure", "updated_at": "updatedAt", "external_user": "exactUserId",
            "last_used_at": "lastUsedAt", "enabled": "isActive",
        },
    ),
    "columns": (
        "uuid service encrypted_access_token access_token_iv access_token_tag encrypted_refresh_token refresh_token_iv"
        " refresh_token_tag expires_in refreshed_at error_code error_description http_status deleted_at client_id",
        {
            "id": "uuid", "provider": "service", "access_token": "encrypted_access_token",
            "access_token_iv": "access_token_iv", "access_token_tag": "access_token_tag",
            "refresh_token": "encrypted_refresh_token", "refresh_token_iv": "refresh_token_iv",
            "refresh_token_tag": "refresh_token_tag", "expires_in": "expires_in", "refreshed_at": "refreshed_at",
            "error_code": "error_code", "error_detail": "error_description", "error_status": "http_status",
            "ended_at": "deleted_at", "client": "client_id",
        },
    ),
    "together": (
        "id credentials credentials_iv credentials_tag last_refresh_at",
        {
            "id": "id", "tokens": "credentials", "tokens_iv": "credentials_iv", "tokens_tag": "credentials_tag",
            "refreshed_at": "last_refresh_at",
        },
    ),
    "leftover": (
        "id access_token access_token_enc refresh_token refresh_token_enc refreshed_at token_type access_token_hash",
        {
            "id": "id", "access_token": "access_token_enc", "access_token_left": "access_token",
            "refresh_token": "refresh_token_enc", "refresh_token_left": "refresh_token", "refreshed_at": "refreshed_at",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("portal", PORTALS)
def test_columns_are_recognised_by_name(portal: str) -> None:
    """As portals name them, in snake_case and in camelCase."""
    names, roles = PORTALS[portal]

    assert recognise("connections", names.split(), {}, None).by_role == roles


def test_every_role_has_a_place_in_the_statement() -> None:
    """Each at most once."""
    assert len(ROLES) == len(set(ROLES))


def test_a_failed_attempt_is_no_refresh() -> None:
    """The last attempt tells nothing about the last success."""
    columns = recognise("connections", ["last_refresh_attempt_at", "last_refresh_failure_at"], {}, None)

    assert "refreshed_at" not in columns


@pytest.mark.parametrize(
    ("name", "plain"), [("accessTokenIV", "access_token_iv"), ("refresh-token", "refresh_token"), ("ID", "id")]
)
def test_names_are_compared_in_snake_case(name: str, plain: str) -> None:
    """Capitals and dashes are only manners."""
    assert snake(name) == plain


def test_a_quote_in_a_name_stays_within_it(portal: Portal) -> None:
    """Names of tables and columns are the database's own."""
    portal.save(portal.rows(2))
    portal.execute('ALTER TABLE connections RENAME COLUMN status TO "st""a; DROP"')
    portal.execute('ALTER TABLE connections RENAME TO "con""nections"')
    portal.declare("""[tokens]\ntable = 'con"nections'\n[tokens.columns]\nstatus = 'st"a; DROP'\n""")

    assert portal.health().data["counts"]["healthy"] == 2


def test_declared_columns_go_before_names(portal: Portal) -> None:
    """Dutch names, for example."""
    names = {"access_token_enc": "sleutel", "refresh_token_enc": "ververs", "refreshed_at": "ververst_op"}
    rows = [{names.get(name, name): value for name, value in row.items()} for row in portal.rows(2)]
    portal.save([{**row, "refreshed_at": ago(10**7)} for row in rows])
    portal.declare(
        '[tokens.columns]\naccess_token = "sleutel"\nrefresh_token = "VERVERS"\nlast_refreshed_at = "ververst_op"\n'
    )

    assert portal.health().data["counts"]["healthy"] == 2


def test_a_token_that_is_declared_to_have_no_column_is_not_missed(portal: Portal) -> None:
    """A portal that keeps access tokens in memory only."""
    portal.save(portal.rows(2), without=("access_token_enc",))
    portal.declare('[tokens.columns]\naccess_token = ""\n')

    assert portal.health().data["counts"]["healthy"] == 2


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"password": "x"}, "no role `password`"),
        ({"access_token": "nowhere"}, "names `nowhere`, which `connections` has not"),
        ({"status": ["a", "b"]}, "names too many columns"),
        ({"access_token": ["id", "id", "id", "id"]}, "names too many columns"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(declared: dict[str, str | list[str]], said: str) -> None:
    """With the roles or the columns that there are."""
    with pytest.raises(InvalidArguments) as caught:
        recognise("connections", ["id"], declared, None)

    assert said in caught.value.message
    assert caught.value.advice


def test_a_table_of_which_nothing_is_recognised_has_unknown_connections(portal: Portal) -> None:
    """A table that only shares the name."""
    portal.execute("CREATE TABLE connections (a, b)")
    portal.execute("INSERT INTO connections VALUES (1, 2), (3, 4)")
    answer = portal.health()

    assert (answer.data["counts"]["unknown"], [each["id"] for each in answer.data["connections"]]) == (2, [1, 2])


def test_a_table_without_rowid_is_known_by_its_key(portal: Portal) -> None:
    """`slug` is the primary key."""
    portal.execute("CREATE TABLE connections (slug TEXT PRIMARY KEY, b) WITHOUT ROWID")
    portal.execute("INSERT INTO connections VALUES ('acme', 2)")

    assert portal.health().data["connections"][0]["id"] == "acme"


def test_what_the_schema_computes_on_reading_is_left_alone(portal: Portal) -> None:
    """A view or a virtual column may cost anything, and only the workspace knows what."""
    portal.save(portal.rows(3))
    portal.execute("ALTER TABLE connections ADD COLUMN refresh_token_expires_at TEXT AS ('2020-01-01') VIRTUAL")
    of_table = portal.health()
    portal.execute("ALTER TABLE connections RENAME TO grants")
    portal.execute("CREATE VIEW connections AS SELECT * FROM grants")
    of_view = portal.health()

    assert of_table.data["counts"]["healthy"] == 3
    assert not any(
        "refresh_token_expires_at" in said for each in of_table.data["connections"] for said in each["evidence"]
    )
    assert of_view.error is not None
    assert of_view.error.code == "not_found"
