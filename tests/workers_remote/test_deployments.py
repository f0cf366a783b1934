"""What is deployed is told, and held against the file that should have made it."""

from typing import Any

import pytest

from .conftest import ACCOUNT, BINDINGS, DB, FIRST, KV, SECOND, Cloud, Portal

OTHER = "99999999-2222-3333-4444-555555555555"


def test_what_is_deployed_as_the_file_says_gives_no_finding(portal: Portal) -> None:
    """Versions with their share, deployments, cron triggers; complete, and without anybody's address."""
    answer = portal.check()
    (worker,) = answer.data["apps"][0]["deployments"]

    assert [each for each in answer.data["findings"] if "deployed" in each["code"]] == []
    assert answer.status == "complete"
    assert (worker["script"], worker["environment"], worker["crons"], worker["errors"]) == (
        "portal",
        None,
        ["*/5 * * * *"],
        [],
    )
    assert [(each["id"], each["number"], each["percentage"]) for each in worker["versions"]] == [(FIRST, 7, 100.0)]
    assert [each["versions"] for each in worker["deployments"]] == [{FIRST: 100.0}] * 2
    assert worker["versions"][0]["message"] == "Release with api_token=*** in it"
    assert "example.test" not in answer.model_dump_json()


@pytest.mark.parametrize(
    ("deployed", "found"),
    [
        ({"bindings": {FIRST: BINDINGS[1:]}}, ("deployed_binding_missing", "error", 17)),
        ({"bindings": {FIRST: [*BINDINGS, {"type": "r2_bucket", "name": "FILES", "bucket_name": "f"}]}}, ("deployed_binding_extra", "warning", 2)),
        ({"bindings": {FIRST: [{"type": "d1", "name": "DB", "id": OTHER}, *BINDINGS[1:]]}}, ("deployed_binding_differs", "error", 17)),
        ({"bindings": {FIRST: [{"type": "d1", "name": "DB", "database_id": OTHER}, *BINDINGS[1:]]}}, ("deployed_binding_differs", "error", 17)),
        ({"bindings": {FIRST: [{"type": "r2_bucket", "name": "DB", "bucket_name": "x"}, *BINDINGS[1:]]}}, ("deployed_binding_differs", "error", 17)),
        ({"bindings": {FIRST: [*BINDINGS[:2], {"type": "plain_text", "name": "MODE", "text": "test"}]}}, ("deployed_var_differs", "warning", 14)),
        ({"bindings": {FIRST: [*BINDINGS, {"type": "plain_text", "name": "ADDED", "text": "x"}]}}, ("deployed_binding_extra", "warning", 2)),
        ({"crons": []}, ("deployed_cron_differs", "error", 9)),
        ({"crons": ["*/5 * * * *", "0 0 * * *"]}, ("deployed_cron_differs", "error", 9)),
        ({"date": "2025-01-01"}, ("deployed_date_differs", "info", 4)),
        ({"shares": {FIRST: 10.0, SECOND: 90.0}}, ("deployed_rollout", "info", None)),
    ],
)  # fmt: skip
def test_each_difference_is_found_at_its_line(portal: Portal, cloud: Cloud, deployed: Any, found: Any) -> None:
    """Missing, extra, other target, other type, other value, other time."""
    cloud.deploy("portal", **deployed)

    assert portal.found() == [found]


def test_only_the_version_that_differs_is_named_during_a_rollout(portal: Portal, cloud: Cloud) -> None:
    """With its share of the requests."""
    cloud.deploy("portal", shares={FIRST: 25.0, SECOND: 75.0}, bindings={SECOND: BINDINGS[1:]})
    findings = portal.check().data["findings"]

    (missing,) = [each for each in findings if each["code"] == "deployed_binding_missing"]
    assert "by 75 % of requests" in missing["message"]


def test_a_required_secret_that_nobody_set_is_found_and_other_secrets_are_not(portal: Portal) -> None:
    """Secrets are set beside the file, and a deployment keeps them."""
    portal.config["secrets"] = {"required": ["TOKEN_ENCRYPTION_KEY", "API_TOKEN"]}
    findings = [each for each in portal.check().data["findings"] if "deployed" in each["code"]]

    assert [(each["code"], each["fix"]) for each in findings] == [
        ("deployed_binding_missing", "Set it: `wrangler secret put API_TOKEN`.")
    ]


def test_variables_of_the_dashboard_are_kept_where_the_file_says_so(portal: Portal, cloud: Cloud) -> None:
    """`keep_vars` makes a deployment leave them alone."""
    cloud.deploy("portal", bindings={FIRST: [*BINDINGS, {"type": "plain_text", "name": "ADDED", "text": "x"}]})
    portal.config["keep_vars"] = True

    assert portal.found() == []


def test_each_environment_is_a_worker_of_its_own(portal: Portal, cloud: Cloud) -> None:
    """Called `name-environment`, with bindings of its own."""
    portal.config["env"] = {
        "production": {"kv_namespaces": [{"binding": "SESSION", "id": "0" * 32}], "vars": {"MODE": "live"}},
        "other": {"name": "named", "vars": {"MODE": "live"}},
    }
    kept = [BINDINGS[1], BINDINGS[2]]
    cloud.deploy("portal-production", bindings={FIRST: kept})
    cloud.deploy("named", bindings={FIRST: [BINDINGS[2]]})
    del cloud.scripts["portal"]
    answer = portal.check()
    scripts = [(each["script"], each["environment"]) for each in answer.data["apps"][0]["deployments"]]
    findings = [each for each in answer.data["findings"] if "deployed" in each["code"]]

    assert scripts == [("portal-production", "production"), ("named", "other")]
    assert [(each["code"], each["severity"]) for each in findings] == [
        ("deployed_binding_differs", "error"),
        ("not_deployed", "info"),
    ]
    assert "wrangler deploy --env production" in findings[0]["fix"]


def test_a_worker_that_is_not_there_is_a_finding_and_no_failure(portal: Portal, cloud: Cloud) -> None:
    """It may be another account's."""
    del cloud.scripts["portal"]
    answer = portal.check()

    assert [(code, severity) for code, severity, _ in portal.found()] == [("not_deployed", "warning")]
    assert (answer.status, answer.data["apps"][0]["deployments"]) == ("complete", None)


def test_recent_errors_are_counted_by_kind_and_their_secrets_masked(portal: Portal, cloud: Cloud) -> None:
    """The query only reads: nothing of it is kept, and it covers one Worker and one day."""
    groups = [("TypeError: x is undefined", 12), ("refresh failed: refresh_token=abc.def.ghi", 30)]
    cloud.telemetry = {
        "run": {"status": "COMPLETED"},
        "calculations": [
            {
                "calculation": "count",
                "aggregates": [
                    {"count": count, "value": count, "interval": 1, "sampleInterval": 1, "groups": [{"key": "$metadata.error", "value": text}]}
                    for text, count in groups
                ],
                "series": [],
            }
        ],
    }  # fmt: skip
    answer = portal.check()
    ((_, path, body),) = [each for each in cloud.requests if each[0] == "POST"]
    (finding,) = [each for each in answer.data["findings"] if each["code"] == "deployed_errors"]

    assert answer.data["apps"][0]["deployments"][0]["errors"] == [
        {"message": "refresh failed: refresh_token=***", "count": 30},
        {"message": "TypeError: x is undefined", "count": 12},
    ]
    assert "42 errors" in finding["message"]
    assert "TypeError" not in answer.summary + "".join(answer.recommendations) + finding["message"]
    assert path == f"/client/v4/accounts/{ACCOUNT}/workers/observability/telemetry/query"
    assert (body["dry"], body["timeframe"]["to"] - body["timeframe"]["from"]) == (True, 24 * 3600 * 1000)
    assert body["parameters"]["filters"][0] == {
        "key": "$metadata.service",
        "operation": "eq",
        "type": "string",
        "value": "portal",
    }


@pytest.mark.parametrize(
    ("ending", "what", "permission", "seen"),
    [
        ("/telemetry/query", "recent errors", "Workers Observability: Read", True),
        ("/schedules", "cron triggers", "Workers Scripts: Read", True),
        ("/deployments", "what is deployed", "Workers Scripts: Read", False),
        (FIRST, "what is deployed", "Workers Scripts: Read", False),
    ],
)
def test_what_the_token_may_not_see_is_a_hole_that_names_the_permission(
    portal: Portal, cloud: Cloud, ending: str, what: str, permission: str, seen: bool
) -> None:
    """Partial; what it may see is told."""
    cloud.failing = {ending: (403, 10000)}
    answer = portal.check()

    assert answer.status == "partial"
    assert what in answer.recommendations[0]
    assert permission in answer.recommendations[0]
    assert (answer.data["apps"][0]["deployments"] is not None) == seen
    assert "example.test" not in answer.model_dump_json()


def test_without_a_token_the_files_are_checked_and_the_hole_is_told(portal: Portal) -> None:
    """And which variables to set."""
    portal.environment = {"DAAN_NOW": "2026-11-22T12:00:00Z"}
    answer = portal.check()

    assert (answer.status, len(answer.data["apps"])) == ("partial", 1)
    assert "CLOUDFLARE_API_TOKEN" in answer.recommendations[0]


def test_without_remote_nobody_is_asked(portal: Portal, cloud: Cloud) -> None:
    """Not even with a token."""
    answer = portal.check(remote=False)

    assert (answer.status, cloud.requests) == ("complete", [])


@pytest.mark.parametrize(("status", "code"), [(404, 7003), (403, 9109)])
def test_a_wrong_account_is_a_hole_and_not_a_missing_worker(
    portal: Portal, cloud: Cloud, status: int, code: int
) -> None:
    """Else the advice would be to deploy what is deployed."""
    cloud.failing = {"/deployments": (status, code)}
    answer = portal.check()

    assert (answer.status, portal.found()) == ("partial", [])


def test_a_rejected_token_is_asked_for_one_worker_only(portal: Portal, cloud: Cloud) -> None:
    """The others would be told the same."""
    portal.config["env"] = {f"e{number}": {} for number in range(9)}
    cloud.failing = {"/deployments": (403, 10000)}
    portal.check()

    assert len(cloud.requests) == 1


@pytest.mark.parametrize(
    "result",
    [None, [], {}, {"deployments": None}, {"deployments": [1, None]}, {"deployments": [{"versions": "x"}]}, "text", 5],
)
def test_answers_of_another_shape_break_nothing(portal: Portal, cloud: Cloud, result: Any) -> None:
    """The shapes are documented, not promised."""
    cloud.telemetry = result
    cloud.deploy("portal", bindings={FIRST: result}, crons=[])
    first = portal.check()
    cloud.telemetry = {"calculations": [{"aggregates": [{"groups": [result], "value": result}, result]}, result]}
    second = portal.check()

    assert [each.error for each in (first, second)] == [None, None]


def test_a_pages_project_is_a_hole(portal: Portal, cloud: Cloud) -> None:
    """Its deployments are kept elsewhere."""
    portal.config = {"name": "portal", "pages_build_output_dir": "dist", "compatibility_date": "2026-10-01"}
    answer = portal.check()

    assert (answer.status, cloud.requests) == ("partial", [])
    assert "Pages" in " ".join(answer.recommendations)


def test_nothing_is_sent_but_reads(portal: Portal, cloud: Cloud) -> None:
    """GET, and the one POST that only asks."""
    portal.check()

    assert {(method, path.rsplit("/", 1)[-1]) for method, path, _ in cloud.requests if method != "GET"} == {
        ("POST", "query")
    }
    assert (portal.config["d1_databases"][0]["database_id"], portal.config["kv_namespaces"][0]["id"]) == (DB, KV)
