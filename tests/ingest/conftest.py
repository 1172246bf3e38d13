"""The tests of the ingest's store run on SQLite files and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import postgres
import pytest
import stores

ON_BOTH = (
    *("test_accounts", "test_api", "test_api_configs", "test_api_incidents", "test_api_registry"),
    *("test_api_stream", "test_consumers", "test_evidence", "test_idempotency"),
    "test_incident_silences",
    *("test_duty_api", "test_duty_told", "test_people_api", "test_statistics", "test_counts"),
    "test_doctor",
    "test_doctor_faults",
    "test_history",
    *("test_orders", "test_receiver", "test_receiver_parking", "test_receiver_refusals"),
    *("test_receiver_upkeep", "test_registry", "test_registry_book", "test_rules_api"),
    *("test_rules_consumer", "test_rules_trial", "test_series", "test_services", "test_chain"),
    "test_series_sweep",
    "test_lost_answers",
    "test_migrate_back",
    "test_migrate_cli",
    "test_upgrade",
    "test_upgrade_cut_short",
    "test_way_back",
    "test_influx_writer",
    *("test_share", "test_share_held"),
    *("test_notify_outbox", "test_notify_twelve", "test_notify_restart"),
)
ALWAYS = (
    "test_consumers",
    "test_doctor_faults",
    "test_receiver",
    "test_receiver_upkeep",
    "test_series",
    "test_lost_answers",
    "test_migrate_back",
    "test_migrate_cli",
    "test_upgrade",
    "test_way_back",
    "test_notify_restart",
)
"""Those whose tests run on both without --full as well."""
MISSING = postgres.missing()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = metafunc.module.__name__.rpartition(".")[2]
    if name not in ON_BOTH:
        return
    marks = [pytest.mark.postgres, pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]
    if name not in ALWAYS:
        marks.append(pytest.mark.full)
    kinds = ["sqlite", pytest.param("postgresql", marks=marks)]
    metafunc.parametrize("on", kinds, indirect=True)


@pytest.fixture(autouse=True)  # so that it comes before what makes a store
def on(request: pytest.FixtureRequest) -> Iterator[str]:
    with stores.use(getattr(request, "param", "sqlite")) as kind:
        yield kind
