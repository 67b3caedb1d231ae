"""Every figure of the week, reckoned by hand. Percentiles are linear between the sorted values: of n values the p90
stands at place 0.9 * (n - 1), counted from 0. Wilson's interval for h of n, with z = 1.959964, was worked out from
(p + z²/2n ± z * sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)."""

from datetime import date

import pytest

from connector.report import recommendations
from connector.report.cases import period_asked
from connector.report.figures import Figure
from connector.report.metrics import Bar
from connector.report.report import Report, report
from connector.store.database import Store
from connector.work.context import Rules
from tests.connector.report import week

NO_HISTORY = ("history not loaded", 1)  # A5


def of(made: Report, key: str) -> Figure:
    (found,) = (each for each in made.figures if each.key == key)
    return found


SHARES = {
    # created: A1 to A7, B1, B2; A8 is deleted. Escalated: A1, A2, A6, A7
    "escalation_rate": (4, 9, 0.188779, 0.733349, (("deleted, spam or merged", 1),)),
    # A1, A2, A6 twice, A7 twice; the last level of their policy: A2 (two), A7 (soon)
    "top_reached": (2, 6, 0.096771, 0.700007, ()),
    # of A1, A2, A6, A7: A6 after it was taken back
    "reescalation_rate": (1, 4, 0.045587, 0.699358, ()),
    # A1 has an outage
    "cause_coverage": (1, 6, 0.030053, 0.563503, ()),
    # levels: A1, A2 twice, A3, A6 twice, A7 twice. Not: A2's first (its second fired first), A6 both
    "ack_coverage": (5, 8, 0.305742, 0.863156, ()),
    # A4 was moved twice by people, and back; A6 by us
    "bounce_rate": (1, 8, 0.022417, 0.470888, (NO_HISTORY,)),
    "ping_pong": (1, 8, 0.022417, 0.470888, (NO_HISTORY,)),
    "ping_pong_any": (2, 8, 0.071479, 0.590725, (NO_HISTORY,)),
    # solved: A1, A2, A3, A4, B3 (a machine reopened that one); B2's window ends Friday 16:30
    "reopen_rate": (1, 5, 0.036224, 0.624465, (("the window is still open", 1),)),
    # one reply: A1, A3, B3. A4 had two besides the machine's; A2 was reopened
    "one_touch": (3, 5, 0.230724, 0.882379, (("the window is still open", 1),)),
    # A1 and A2 both rated; A3 rated, A4 not; beta was not asked
    "csat_response_escalated": (2, 2, 0.342380, 1.0, ()),
    "csat_response_other": (
        1, 2, 0.094531, 0.905469, (("the helpdesk was not asked for, or does not tell, ratings", 2),),
    ),
    # first replies within 4 h: A1 1:00:20, A2 3:00, A3 0:10, A4 1:00. A6 none, A7 5:00. B1: achieved, due not told
    "sla_first_reply": (4, 6, 0.299993, 0.903229, (("the helpdesk does not tell whether it was met", 1),)),
    # solved within 24 h: A1, A3, A4. A2 took 72 h with its reopening, A6 and A7 are open. B1 runs, B2 rests
    "sla_resolution": (3, 6, 0.187616, 0.812384, (("not due yet", 1), ("paused: no deadline now", 1))),
    "sla_targets": (
        7, 12, 0.319511, 0.806740,
        (("not due yet", 1), ("paused: no deadline now", 1), ("the helpdesk does not tell whether it was met", 1)),
    ),
    # all kept: A1, A3, A4. Nothing decided: A5, B1, B2
    "sla_tickets": (3, 6, 0.187616, 0.812384, (("no decided target", 3),)),
    # A7 was warned at 12:30 and answered after 13:00
    "prevented": (0, 1, 0.0, 0.793451, ()),
    # automatic: A1, A2, A6 twice, A7's warning; A6's first was taken back, nobody had acknowledged it
    "precision": (4, 5, 0.375535, 0.963776, (("ordered by a person", 1),)),
}  # fmt: skip

MEANS = {
    # levels per escalation: 1 2 1 1 1 1
    "levels_climbed": (6, 7 / 6, 1, 1.5, 1.75, ()),
    # A1 30:10, A2 30:00, A6 50:00, A7 5:00 -> 300 1800 1810 3000
    "tte_created": (4, 1727.5, 1805, 2643, 2821.5, ()),
    "tte_created.business": (4, 1727.5, 1805, 2643, 2821.5, ()),
    # A1 was first seen to hold 5 s after its creation -> 300 1800 1805 3000
    "tte_needed": (4, 1726.25, 1802.5, 2641.5, 2820.75, ()),
    "tte_needed.business": (4, 1726.25, 1802.5, 2641.5, 2820.75, ()),
    # A1 30:20; A2 2:30:10; A6 11:00 and 8 days 23 h until now; A7 10:10 and 1:30:10
    # -> 1820 9010 774660 6020; the p90 at place 2.7: 9010 + 0.7 * 765650
    "time_escalated": (4, 197877.5, 7515, 544965, 659812.5, ()),
    # A6 is open Wednesday 6 h, Thursday to Thursday 6 days of 8 h, Friday 1 h: 55 h and 11:00 = 198660
    "time_escalated.business": (4, 53877.5, 7515, 141765, 170212.5, ()),
    # A1 9:30:10 to 11:00 = 5390; A2 Monday 10:30 to Thursday 10:00 = 71.5 h = 257400
    "resolution_after": (2, 131395, 131395, 232199, 244799.5, (("not solved", 2),)),
    # A2: 6.5 + 8 + 8 + 1 h = 84600
    "resolution_after.business": (2, 44995, 44995, 76679, 80639.5, (("not solved", 2),)),
    # A3 600, B1 1800, A4 3600 (the machine's does not count), A1 3620, A2 10800, A7 18000; A6 and B2 have none
    "first_reply": (6, 38420 / 6, 3610, 14400, 16200, (("no reply yet", 2), NO_HISTORY)),
    "first_reply.business": (6, 38420 / 6, 3610, 14400, 16200, (("no reply yet", 2), NO_HISTORY)),
    # A3 300, A7 600 and 5400, A1 1810, A2's second 3600
    "mtta": (5, 2342, 1810, 4680, 5040, (("not acknowledged", 3),)),
    "mtta.business": (5, 2342, 1810, 4680, 5040, (("not acknowledged", 3),)),
    # A1 9:30:20 to 10:00:20, A2's second 12:00:05 to 13:00 -> 1800 3595. A2's first and A6's first went on,
    # A6's second lies there; A3 and A7 twice were not moved
    "handoff_dead_time": (
        2, 2697.5, 2697.5, 3415.5, 3505.25,
        (("moved to no other group", 3), ("went on before anybody acted", 2), ("nobody has acted yet", 1)),
    ),
    "handoff_dead_time.business": (
        2, 2697.5, 2697.5, 3415.5, 3505.25,
        (("moved to no other group", 3), ("went on before anybody acted", 2), ("nobody has acted yet", 1)),
    ),
    # A4: to Tier 2 at 9:10, where Ben sends it back at 9:20; back in Tier 1 until Ann answers at 10:00. Cleo waits
    "moved_dead_time": (2, 1500, 1500, 2220, 2310, ((f"tickets: {NO_HISTORY[0]}", 1),)),
    "moved_dead_time.business": (2, 1500, 1500, 2220, 2310, ((f"tickets: {NO_HISTORY[0]}", 1),)),
    "moved_waiting": (2, 1500, 1500, 2220, 2310, ((f"tickets: {NO_HISTORY[0]}", 1),)),
    "moved_waiting.business": (2, 1500, 1500, 2220, 2310, ((f"tickets: {NO_HISTORY[0]}", 1),)),
    # A7 first reply 1 h; A2 resolution 48 h; until now: A7 resolution 7 d 1 h, A6 resolution 8 d 1 h, first reply
    # 8 d 21 h -> 3600 172800 608400 694800 766800
    "breach_duration": (5, 449280, 608400, 738000, 752400, ()),
    # 1 h, 16 h, 41 h, 49 h, 53 h
    "breach_duration.business": (5, 115200, 147600, 185040, 187920, ()),
    # A1 20 s, A2 5 s twice, A3 0, A6 20 min and 0, A7's warning 0; A7's other was ordered
    "punctuality": (7, 1230 / 7, 5, 492, 846, (("ordered by a person", 1),)),
}  # fmt: skip

COUNTS = {
    "escalations": 6,  # A3's level only told a channel
    "moves_people": 2,  # A4
    "moves_ours": 6,  # A1 1, A2 2, A6 3
    "moves_automation": 0,
    "at_risk": 1,  # B1: 11 days 1 h of 14 days
    "missed": 0,
    "refused": 0,
}

UNTOLD = {
    "csat_escalated": (2, "fewer than 10: not shown"),
    "csat_other": (1, "fewer than 10: not shown"),
    "csat_difference": (3, "one of the two is not shown"),
    "sla_next_reply": (0, "nothing to measure"),
}


@pytest.mark.parametrize("key", SHARES)
def test_a_share(made: Report, key: str) -> None:
    figure, (hits, n, low, high, excluded) = of(made, key), SHARES[key]
    assert (figure.hits, figure.n, figure.excluded) == (hits, n, excluded)
    assert figure.value == pytest.approx(hits / n)
    assert (figure.low, figure.high) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize("key", MEANS)
def test_a_mean_and_its_percentiles(made: Report, key: str) -> None:
    figure, (n, mean, p50, p90, p95, excluded) = of(made, key), MEANS[key]
    assert (figure.n, figure.excluded) == (n, excluded)
    assert (figure.value, figure.p50, figure.p90, figure.p95) == pytest.approx((mean, p50, p90, p95))


@pytest.mark.parametrize("key", COUNTS)
def test_a_count(made: Report, key: str) -> None:
    assert of(made, key).value == COUNTS[key]


@pytest.mark.parametrize("key", UNTOLD)
def test_what_is_not_stated_says_why(made: Report, key: str) -> None:
    figure = of(made, key)
    assert (figure.value, figure.n, figure.untold) == (None, *UNTOLD[key])


def test_a_measured_share_has_no_interval(made: Report) -> None:
    """A4 rested 15 minutes, of which Cleo waited 10."""
    figure = of(made, "pause_integrity")
    assert (figure.hits, figure.n, figure.value, figure.low) == (600, 900, pytest.approx(2 / 3), None)
    assert figure.excluded == (("tickets: history not loaded", 1),)


def test_every_figure_was_reckoned(made: Report) -> None:
    reckoned = {*SHARES, *MEANS, *COUNTS, *UNTOLD, "pause_integrity"}
    assert {each.key for each in made.figures} == reckoned


def test_notes_say_what_flatters(made: Report) -> None:
    assert of(made, "ack_coverage").notes == ("1 of those without still wait",)  # A6's second
    assert of(made, "reopen_rate").notes[1].startswith("1 of them solved again without a reply")  # A2
    assert of(made, "at_risk").notes == ("of 1 open targets", "3 more are breached and not fulfilled")
    assert of(made, "precision").notes == ("1x by eli: by mistake",)
    assert of(made, "breach_duration").notes == ("3 not fulfilled yet, until now",)
    assert of(made, "time_escalated").notes == ("1 still escalated, until now",)


def test_clocks_are_named(made: Report) -> None:
    assert (of(made, "mtta").clock, of(made, "mtta.business").clock) == ("calendar", "business: office")


def test_where_tickets_wait(made: Report) -> None:
    """Tier 2: A1 1:29:40, A2 1:30:00, A4 0:10:00, A6 0:11:00 and 8 days 23 h. Duty: A2 Monday 12:00:05 to Tuesday
    10:00, and Wednesday to Thursday. The rest is Tier 1's: A7 8 days 1 h, B1 11 days 1 h and eight short stays."""
    assert [(each.group, each.stays, each.total, each.idle_p50, each.untouched) for each in made.stages] == [
        ("Tier 1", 10, 1_669_165, 1800, 4),
        ("Tier 2", 5, 786_040, 1200, 3),
        ("Duty", 1, 165_595, 3595, 0),
    ]


def test_causes_and_policies_by_weight(made: Report) -> None:
    assert made.causes == (
        Bar(name="customer waiting", count=4, cumulated=4 / 6),
        Bar(name="first reply due", count=1, cumulated=5 / 6),
        Bar(name="outage", count=1, cumulated=1.0),
    )
    assert [(bar.name, bar.count) for bar in made.policies] == [("waits", 5), ("warns", 1)]


def test_the_trend_by_day(made: Report) -> None:
    rows = [(b.first.day, b.created, b.escalated, b.escalations, b.fired, b.acknowledged) for b in made.trend]
    assert (made.grain, made.trend[0].first) == ("day", date(2026, 3, 2))
    assert rows == [
        (2, 4, 2, 2, 4, 3),
        (3, 2, 0, 0, 0, 0),
        (4, 1, 1, 2, 2, 0),
        (5, 1, 1, 2, 2, 2),
        (6, 1, 0, 0, 0, 0),
    ]


def test_the_hours_of_the_week(made: Report) -> None:
    """Monday 9 (A1) and 10 (A2), Wednesday 9 and 11 (A6), Thursday 9 and 12 (A7), in Berlin."""
    hot = {(d, h): n for d, row in enumerate(made.heat) for h, n in enumerate(row) if n}
    assert hot == {(0, 9): 1, (0, 10): 1, (2, 9): 1, (2, 11): 1, (3, 9): 1, (3, 12): 1}


def test_cuts(made: Report) -> None:
    def numbers(dimension: str, key: str) -> dict[str, tuple[int | None, int]]:
        return {
            cut.name: (figure.hits, figure.n)
            for cut in made.cuts
            if cut.dimension == dimension
            for figure in cut.figures
            if figure.key == key
        }

    assert numbers("account", "escalation_rate") == {"acme": (4, 7), "beta": (0, 2)}
    assert numbers("team", "escalation_rate") == {"Duty": (1, 1), "Tier 1": (1, 6), "Tier 2": (2, 2)}
    assert numbers("policy", "escalation_rate") == {"tells": (0, 9), "waits": (4, 9), "warns": (1, 9)}
    assert numbers("level", "ack_coverage") == {
        "tells: channel": (1, 1), "waits: one": (2, 5), "waits: two": (1, 1), "warns: soon": (1, 1),
    }  # fmt: skip
    assert numbers("cause", "ack_coverage")["outage"] == (1, 1)


def test_the_report_says_what_it_leaves_out(made: Report) -> None:
    assert made.notes[0] == "Tickets with levels in observe only, which are not counted: 1."
    assert made.notes[1].startswith("Tickets without history: 1 of 9.")
    assert (made.accounts, made.tickets, made.hypothetical) == (("acme", "beta"), 9, False)


def test_what_to_change(kept: tuple[Store, Rules], made: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    # of so little nothing is advised but what needs no number of cases
    assert {each.rule for each in made.advice} == {"bottleneck"}
    monkeypatch.setattr(recommendations, "LEAST", 5)
    store, all_rules = kept
    period = period_asked("2026-03-02", "2026-03-06", week.BERLIN)
    with store.reading() as connection:
        again = report(connection, period, rules=all_rules, now=week.NOW)
    rules = {each.rule: each.numbers for each in again.advice}
    assert rules["noisiest policy"] == "5 of 6 (83.3 %)"
    assert rules["low acknowledgement"] == "2 of 5 that fired a day ago or more (40.0 %)"
    assert rules["bottleneck"] == "63.7 % of 728h, in 10 stays"
    assert rules["low: SLA compliance: resolution"] == "3 of 6 (50.0 %)"
    assert rules["high: Reopen rate"] == "1 of 5 (20.0 %)"
