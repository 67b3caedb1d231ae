"""Alarms on figures: a crossing is said once, whatever looks again; what is not known says nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from connector.config.settings import load
from connector.report.alarms import Alarm, Kept, Stands, decide, kept_of, look_at_alarms, measure
from connector.store import ledger, notices
from connector.store.database import Store
from connector.work.context import Rules
from tests.connector.beside import SECRETS, beside, composed
from tests.connector.report import week
from tests.connector.stores import fresh_store
from tests.patience import until

DAY = 86_400
ALARM = Alarm(
    name="unacknowledged",
    figure="ack_coverage",
    under=0.95,
    within=12 * DAY,
    every=900,
    notify=("leads", "duty"),
)
KNOWN = Kept(measured=ALARM.measured)


@pytest.mark.parametrize(
    ("was", "value", "stands", "crossed"),
    [
        (None, 0.95, "well", None),  # the limit itself is well, and a good beginning is no news
        (None, 0.94, "over", "over"),
        (None, None, None, None),
        ("well", 0.5, "over", "over"),
        ("over", 0.4, "over", None),
        ("over", None, "over", None),  # unknown is not well
        ("well", None, "well", None),
        ("over", 1.0, "well", "well"),
        ("well", 1.0, "well", None),
    ],
)
def test_a_crossing_is_told_and_nothing_else(
    was: Stands | None, value: float | None, stands: Stands | None, crossed: Stands | None
) -> None:
    outcome = decide(ALARM, replace(KNOWN, stands=was), value)
    assert (outcome.kept.stands, outcome.crossed) == (stands, crossed)


def test_one_that_measures_something_else_by_now_begins_anew() -> None:
    before = Kept(measured="bounce_rate", stands="over")
    assert decide(ALARM, before, 1.0).crossed is None


def told(store: Store) -> list[tuple[str, str]]:
    with store.reading() as connection:
        return [
            (each.notice.channel, each.notice.title)
            for channel in ("duty", "leads")
            for each in notices.due(connection, channel, week.NOW + 30 * DAY)
        ]


def test_each_channel_hears_of_a_crossing_once_and_once_when_it_is_over(kept: tuple[Store, Rules]) -> None:
    store, rules = kept
    with store.reading() as connection:
        newest = ledger.newest_id(connection)
        figure = measure(connection, ALARM, rules, week.NOW)
    assert figure is not None
    assert figure.value is not None
    assert figure.value < 0.95
    said = f"unacknowledged: {figure.value * 100:.1f} %"
    for later in (0, 0, 900, 1800):  # the second is another process in the same second
        look_at_alarms(store, [ALARM], rules, week.NOW + later)
    assert told(store) == [("duty", said), ("leads", said)]
    well = replace(ALARM, under=0.1)
    for later in (2700, 3600):
        look_at_alarms(store, [well], rules, week.NOW + later)
    assert [title for _, title in told(store)].count(said.replace(": ", ": well again, ")) == 2
    look_at_alarms(store, [ALARM], rules, week.NOW + 400 * DAY)  # nothing happened since: not known
    assert len(told(store)) == 4
    with store.reading() as connection:
        assert [each.what for each in ledger.onward(connection, newest)] == ["alarm", "alarm over"]


def test_the_cut_of_a_policy_counts_its_levels_only(kept: tuple[Store, Rules]) -> None:
    store, rules = kept
    with store.reading() as connection:
        whole = measure(connection, ALARM, rules, week.NOW)
        part = measure(connection, replace(ALARM, policy="waits"), rules, week.NOW)
    assert whole is not None
    assert part is not None
    assert 0 < part.n < whole.n


WATCHED = """
[channels.leads]
url = "secret:leads"
[[alarm]]
name = "escalations"
figure = "escalations"
over = 5
within = "24h"
notify = ["leads"]
"""


def test_the_service_watches_alarms_that_no_policy_shares_a_channel_with(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        file = tmp_path / "uptier.toml"
        written = file.read_text(encoding="utf-8").replace("sqlite:///uptier.db", "sqlite:///other.db")
        file.write_text(written + WATCHED, encoding="utf-8")
        secrets = {**SECRETS, "UPTIER_SECRET_LEADS": "json://127.0.0.1:1"}
        with composed(file, one.clock, secrets) as service:
            store = service.parts.store
            service.start()

            def looked() -> bool:
                with store.reading() as connection:
                    return kept_of(connection, "escalations") is not None

            until(looked)
            service.stop()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_that_measured_at_once_tell_one_crossing(kind: str, tmp_path: Path) -> None:
    alarm = replace(ALARM, figure="escalations", under=1, notify=("leads",))
    with fresh_store(kind, tmp_path) as store:
        rules = week.rules(tmp_path)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: look_at_alarms(store, [alarm], rules, week.NOW), range(4)))
        with store.reading() as connection:
            assert [each.what for each in ledger.onward(connection, 0)] == ["alarm"]
            assert len(notices.due(connection, "leads", week.NOW)) == 1


CONFIG = """
[service]

[accounts.acme]
adapter = "zendesk"
url = "https://acme.zendesk.com"
auth = { kind = "bearer", token = "secret:acme" }

[channels.leads]
url = "secret:leads"

[[alarm]]
name = "a"
within = "24h"
"""


@pytest.mark.parametrize(
    ("lines", "code", "text"),
    [
        ('figure = "ack_coverag"\nunder = 0.9\nnotify = ["leads"]', "unknown-figure", 'mean "ack_coverage"'),
        ('figure = "ack_coverage"\nnotify = ["leads"]', "one-limit", "`over` or `under`"),
        ('figure = "ack_coverage"\nover = 1\nunder = 0.9\nnotify = ["leads"]', "one-limit", "only one"),
        ('figure = "ack_coverage"\nunder = 95\nnotify = ["leads"]', "out-of-range", "0.95"),
        ('figure = "ack_coverage"\nunder = "30m"\nnotify = ["leads"]', "wrong-type", "number"),
        ('figure = "mtta"\nover = "30m"\nnotify = ["lead"]', "unknown-channel", 'mean "leads"'),
        ('figure = "mtta"\nover = "30m"\nnotify = ["leads"]\nevery = "1m"', "out-of-range", "5m"),
        ('figure = "mtta"\nover = "30m"\nnotify = ["leads"]\naccount = "acm"', "unknown-account", '"acme"'),
        ('figure = "mtta"\nover = "30m"\nnotify = ["leads"]\npolicy = "x"', "unknown-policy", '"x"'),
        ('figure = "sla_targets"\nunder = 1\nnotify = ["leads"]\npolicy = "x"', "unknown-figure", "policy"),
        ('figure = "mtta"\nover = "30m"\nnotify = ["leads"]\nteams = "x"', "unknown-key", "team"),
    ],
)
def test_check_refuses_what_could_never_sound(tmp_path: Path, lines: str, code: str, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG + lines)
    (found,) = (each for each in load(file).problems if each.severity == "error")
    assert (found.code, text in found.message) == (code, True), found
    assert found.line >= 10


def test_a_limit_on_a_time_is_a_duration(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG + 'figure = "mtta"\nover = "30m"\nnotify = ["leads"]')
    settings = load(file).settings
    assert settings is not None
    (alarm,) = (each.alarm() for each in settings.alarm)
    assert (alarm.over, alarm.under, alarm.within, alarm.every) == (1800, None, DAY, 900)
