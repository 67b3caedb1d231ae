"""What channels hear, over a real socket: once, in time, and never in the way of the helpdesk."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from connector import logs
from connector.app.service import Service
from connector.clock import ManualClock
from connector.config.secrets import SecretError
from connector.config.settings import load
from connector.logs import Masker
from connector.store import inbox, notices
from connector.work.retry import NOTICE
from policies.model import Order, TicketRef
from tests.connector.beside import CONFIG, MINUTE, SECRETS, START, Beside, beside, composed
from tests.connector.listening import HANG, PATH, Channel, listening
from tests.connector.test_metrics import free_address, scraped
from tests.patience import until

CHANNEL = '[channels.leads]\nurl = "secret:leads-slack"\n'
FIRST = """
[[policy]]
name = "waits"
clock = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "one"
after = "30m"
owner = "Tier 2"
notify = ["leads"]
"""
WRITES = FIRST + 'assign = { group = "Tier 2" }\nnote = "handoff"\n'
SECOND = """
[[policy.level]]
name = "two"
after = "2h"
owner = "Duty"
note = "handoff"
"""
FAILED_FOR = sum(NOTICE.steps) // 60 + 1


@contextmanager
def told(
    folder: Path, policies: str = FIRST, channel: str = CHANNEL, *, service: str = "", tickets: int = 1
) -> Iterator[tuple[Beside, Channel]]:
    """The service beside an account and a channel."""
    with listening() as leads, pytest.MonkeyPatch.context() as patch:
        patch.setitem(SECRETS, "UPTIER_SECRET_LEADS_SLACK", leads.address)
        with beside(folder, channel + policies, service=service, tickets=tickets) as one:
            yield one, leads


def states(one: Beside) -> dict[str, int]:
    with one.service.parts.store.reading() as connection:
        return {state: many for (_, state), many in notices.counts(connection).items()}


def again(one: Beside, folder: Path) -> Service:
    """A new process on the same database."""
    one.service.__exit__()
    one.service = composed(folder / "uptier.toml", one.clock, SECRETS)
    return one.service


def rounds(one: Beside, minutes: int, every: int = 5) -> None:
    for _ in range(minutes // every):
        one.round(every)


# --- what is said --------------------------------------------------------------------------------------------


def test_a_level_is_told_once_with_all_a_lead_needs(tmp_path: Path) -> None:
    with told(tmp_path, WRITES + SECOND) as (one, leads):
        one.round(31)
        rounds(one, 60)
        (message,) = leads.heard
        settings = load(tmp_path / "uptier.toml").settings
        assert settings is not None
        assert message["title"] == "acme/1: one (waits)"
        assert message["message"].splitlines() == [
            'acme/1 has reached level "one" of policy "waits". Owner: Tier 2.',
            "Why: customer waiting for 31m (limit 30m).",
            'Next: level "two" at 2026-09-21 16:13:20 UTC',
            "Ask why: uptier explain acme/1",
            f"{settings.accounts['acme'].url}/agent/tickets/1",
        ]
        assert one.whats().count("notified") == 1
        assert one.group() == "Tier 2"


def test_a_level_that_only_notifies_fires_with_its_plan(tmp_path: Path) -> None:
    with told(tmp_path) as (one, leads):
        summary = one.round(31)
        assert one.whats() == ["started", "fired", "owner", "notified"]
        assert leads.titles == ["acme/1: one (waits)"]
        assert one.puts() == []
        assert summary.counts["notified"] == 1
        assert not summary.needs_human


def test_two_policies_in_one_plan_and_one_only_notifies(tmp_path: Path) -> None:
    other = WRITES.replace('name = "waits"', 'name = "other"').replace('notify = ["leads"]\n', "")
    with told(tmp_path, other + FIRST) as (one, leads):
        one.round(31)
        assert one.whats().count("fired") == 2
        assert one.whats().count("notified") == len(leads.heard) == 1


def test_the_template_of_a_channel(tmp_path: Path) -> None:
    channel = CHANNEL + 'template = "handoff"\n'
    with told(tmp_path, FIRST, channel) as (one, leads):
        one.round(31)
        assert leads.taken[0]["message"].startswith("waits, one. Owner: Tier 2.\nWhy: customer waiting for")


def test_a_repeat_is_told_again_so_many_times(tmp_path: Path) -> None:
    with told(tmp_path, FIRST + 'repeat = { every = "1h", times = 2 }\n') as (one, leads):
        one.round(31)
        rounds(one, 300, 15)
        assert len(leads.heard) == 3
        assert one.whats().count("repeated") == 2


def test_observe_tells_nobody(tmp_path: Path) -> None:
    text = FIRST.replace('name = "waits"', 'name = "waits"\nmode = "observe"')
    with told(tmp_path, text) as (one, leads):
        one.round(31)
        assert "observed" in one.whats()
        assert (leads.heard, states(one)) == ([], {})


# --- channels that fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [500, 429, HANG])
def test_a_failure_is_tried_again(fault: int, tmp_path: Path) -> None:
    with told(tmp_path, WRITES) as (one, leads):
        leads.answers = [fault, 500]
        summary = one.round(31)
        assert one.group() == "Tier 2"
        assert states(one) == {"failing": 1}
        assert any("uptier notify test leads" in text for text in summary.needs_human)
        rounds(one, 4, 1)
        assert (len(leads.heard), len(leads.taken)) == (3, 1)
        assert states(one) == {"sent": 1}
        assert one.whats().count("notified") == 1


def test_a_dead_channel_is_given_up_loudly_and_holds_nothing_up(tmp_path: Path) -> None:
    with told(tmp_path, WRITES + SECOND) as (one, leads):
        leads.then = 500
        one.round(31)
        needs_human: list[str] = []
        for _ in range(FAILED_FOR // 15 + 4):
            needs_human += one.round(15).needs_human
        assert len(leads.heard) == NOTICE.tries
        assert states(one) == {"given_up": 1}
        (line,) = [line for line in one.lines() if line.what == "notification failed"]
        assert line.text == f"leads: given up after {NOTICE.tries} tries: it answered 500"
        assert any("notification failed" in text for text in needs_human)
        assert one.whats().count("fired") == 2
        assert len(one.notes()) == 2


def test_a_dead_channel_is_not_asked_for_each_ticket(tmp_path: Path) -> None:
    with told(tmp_path, tickets=6) as (one, leads):
        leads.then = 500
        one.round(31)
        assert len(leads.heard) == 2
        assert states(one) == {"failing": 6}
        leads.then = 200
        one.round(1)
        assert len(leads.taken) == 6


def test_a_channel_that_hangs_keeps_only_itself_waiting(tmp_path: Path) -> None:
    pager = '[channels.pager]\nurl = "secret:leads-pager"\n'
    both = FIRST.replace('["leads"]', '["leads", "pager"]')
    with listening() as second, pytest.MonkeyPatch.context() as patch:
        patch.setitem(SECRETS, "UPTIER_SECRET_LEADS_PAGER", second.address)
        with told(tmp_path, both, CHANNEL + pager) as (one, leads):
            leads.then = HANG
            one.round()
            one.clock.advance(31 * 60)
            one.service.parts.engine.drain(one.service.parts.worker.work)
            one.service.parts.notifier.tick()
            until(lambda: states(one) == {"failing": 1, "sent": 1})
            assert len(second.taken) == 1
            assert one.service.parts.notifier.stop(5)


def test_a_helpdesk_in_trouble_does_not_keep_the_channel_waiting(tmp_path: Path) -> None:
    with told(tmp_path, WRITES) as (one, leads):
        one.round()
        one.fault("answer", status=500, times=6)
        one.round(31)
        for _ in range(10):
            one.round(1)
        assert leads.titles == ["acme/1: one (waits)"]
        whats = one.whats()
        assert whats.index("notified") < whats.index("written")


def test_a_write_that_is_refused_is_told_all_the_same(tmp_path: Path) -> None:
    with told(tmp_path, WRITES) as (one, leads):
        one.fault("answer", status=422)
        one.round(31)
        assert "refused" in one.whats()
        assert len(leads.heard) == 1


# --- asked again before sending ------------------------------------------------------------------------------


def test_an_answer_before_the_next_try_stops_it(tmp_path: Path) -> None:
    with told(tmp_path, WRITES) as (one, leads):
        leads.answers = [500]
        one.round(31)
        one.desk.agent_says(1, "Ann", "On it")
        one.clock.advance(35)
        one.service.parts.notifier.deliver()
        assert (len(leads.heard), states(one)) == (1, {"dropped": 1})
        (line,) = [line for line in one.lines() if line.what == "not notified"]
        assert line.text == "leads: its episode has ended: stop_on agent_reply"


def test_an_answer_in_the_moment_of_the_write_stops_it(tmp_path: Path) -> None:
    act = {"act": "agent_changes", "ticket": 1, "agent": "Ann", "assignee": "Ann"}
    stops = WRITES.replace('"acknowledged"]', '"acknowledged", "assigned"]')
    with told(tmp_path, stops) as (one, leads):
        one.round()
        one.fault("edit", act=act)
        one.round(31)
        one.round(5)
        assert one.puts() == [409]
        assert leads.heard == []
        assert one.whats().count("not notified") == 1


def test_a_notice_held_overnight_is_dropped_if_the_ticket_was_solved(tmp_path: Path) -> None:
    quiet = 'quiet = { calendar = "late" }\n[calendars.late]\ntimezone = "UTC"\nhours = { mon-fri = "18:00-20:00" }\n'
    with told(tmp_path, WRITES, CHANNEL + quiet) as (one, leads):
        one.round(31)
        one.desk.agent_changes(1, "Ann", status="solved")
        rounds(one, 240, 60)
        assert (leads.heard, states(one)) == ([], {"dropped": 1})


def test_an_acknowledgement_that_ends_nothing_stops_it_too(tmp_path: Path) -> None:
    text = FIRST.replace('stop_on = ["agent_reply", "acknowledged"]\n', "")
    with told(tmp_path, text) as (one, leads):
        leads.answers = [500]
        one.round(31)
        one.clock.advance(5)
        one.desk.agent_says(1, "Ann", "Looking", public=False)
        one.clock.advance(35)
        one.service.parts.notifier.deliver()
        assert (len(leads.heard), states(one)) == (1, {"dropped": 1})
        assert "acknowledged by" in one.lines()[-1].text


def test_a_snooze_holds_back_what_waits(tmp_path: Path) -> None:
    with told(tmp_path) as (one, leads):
        leads.answers = [500]
        one.round(31)
        until = one.clock.now() + 120 * MINUTE
        with one.service.parts.store.writing() as connection:
            snooze = Order(verb="snooze", who="dana", at=one.clock.now(), until=until)
            inbox.give_order(connection, TicketRef("acme", "1"), snooze)
        rounds(one, 110, 10)
        assert (len(leads.heard), states(one)) == (1, {"failing": 1})
        rounds(one, 20, 5)
        assert (len(leads.taken), states(one)) == (1, {"sent": 1})


def test_where_the_helpdesk_cannot_be_asked_it_is_sent(tmp_path: Path) -> None:
    with told(tmp_path) as (one, leads):
        leads.answers = [500]
        one.round(31)
        one.fault("answer", method="*", path="*", status=503, times=None)
        one.clock.advance(35)
        one.service.parts.notifier.deliver()
        assert len(leads.taken) == 1


def test_a_policy_that_only_observes_now_tells_nothing_more(tmp_path: Path) -> None:
    with told(tmp_path) as (one, leads):
        leads.answers = [500]
        one.round(31)
        path = tmp_path / "uptier.toml"
        path.write_text(path.read_text().replace('mode = "enforce"', 'mode = "observe"'))
        assert one.service.reload(load(path))
        one.round(1)
        assert (len(leads.heard), states(one)) == (1, {"dropped": 1})


# --- hours and gathering -------------------------------------------------------------------------------------


def test_what_comes_in_closed_hours_waits_until_the_calendar_opens(tmp_path: Path) -> None:
    # START is a Monday, 14:13 UTC
    quiet = 'quiet = { calendar = "late" }\n[calendars.late]\ntimezone = "UTC"\nhours = { mon-fri = "18:00-20:00" }\n'
    with told(tmp_path, WRITES, CHANNEL + quiet) as (one, leads):
        one.round(31)
        assert one.group() == "Tier 2"
        rounds(one, 180, 15)
        assert (leads.heard, states(one)) == ([], {"waiting": 1})
        again(one, tmp_path)
        rounds(one, 30)
        assert len(leads.taken) == 1


def test_above_so_many_the_rest_becomes_one(tmp_path: Path) -> None:
    with told(tmp_path, FIRST, CHANNEL + 'digest = { above = 2, within = "10m" }\n', tickets=6) as (
        one,
        leads,
    ):
        one.round(31)
        assert len(leads.taken) == 2
        again(one, tmp_path)
        one.desk.agent_says(6, "Ann", "On it")
        rounds(one, 9, 3)
        assert len(leads.taken) == 2
        rounds(one, 4, 2)
        assert len(leads.taken) == 3
        assert leads.titles[-1] == "3 escalations"
        assert [f"acme/{number} has reached" in leads.taken[-1]["message"] for number in (1, 3, 4, 5)].count(
            True
        ) == 3
        assert states(one) == {"sent": 5, "dropped": 1}


# --- restarts, reloads, secrets ------------------------------------------------------------------------------


def test_a_restart_sends_what_waited(tmp_path: Path) -> None:
    with told(tmp_path) as (one, leads):
        leads.answers = [500]
        one.round(31)
        again(one, tmp_path)
        one.round(1)
        assert (len(leads.taken), states(one)) == (1, {"sent": 1})


def test_a_death_between_sending_and_noting_it_repeats_it_once(tmp_path: Path) -> None:
    with told(tmp_path) as (one, leads), pytest.MonkeyPatch.context() as patch:
        patch.setattr(notices, "settle_notices", lambda *_, **__: 1 / 0)
        one.round(31)
        assert (len(leads.taken), states(one)) == (1, {"waiting": 1})
        patch.undo()
        patch.setitem(SECRETS, "UPTIER_SECRET_LEADS_SLACK", leads.address)
        again(one, tmp_path)
        rounds(one, 5, 1)
        assert (len(leads.taken), states(one)) == (2, {"sent": 1})


def test_a_channel_that_was_removed(tmp_path: Path) -> None:
    with told(tmp_path) as (one, leads):
        leads.answers = [500]
        one.round(31)
        path = tmp_path / "uptier.toml"
        text = path.read_text().replace(CHANNEL, "").replace('notify = ["leads"]', 'tags = ["late"]')
        path.write_text(text)
        assert one.service.reload(load(path))
        one.round(1)
        assert states(one) == {"dropped": 1}


def test_the_running_service_tells_too_and_shows_it(tmp_path: Path) -> None:
    address = free_address()
    with told(tmp_path, service=f'metrics = "{address}"') as (one, leads):
        one.round()
        one.service.start()
        one.clock.advance(31 * 60)
        until(lambda: "notified" in one.whats())
        numbers = scraped(httpx.get(f"http://{address}/metrics").text)
        assert one.service.stop()
        assert numbers['uptier_notifications{channel="leads",state="sent"}'] == 1
        assert len(leads.taken) == 1


def test_the_address_is_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    said = io.StringIO()
    with told(tmp_path, WRITES) as (one, leads):
        logs.configure(Masker(), one.clock, said, level=10)  # knows no secret, so it can mask none
        leads.answers = [500, 429, HANG]
        one.round(31)
        rounds(one, 20, 1)
        assert len(leads.taken) == 1
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.suffix != ".toml")
        ledger = str(one.lines())
    assert PATH.encode() not in kept
    assert PATH not in said.getvalue() + caplog.text + ledger
    assert "it answered 500" in said.getvalue()


@pytest.mark.parametrize(
    "instead",
    ['within = "day"\notherwise = { notify = ["leads"] }', 'approval = { notify = ["leads"] }'],
)
def test_so_it_is_where_only_closed_hours_or_a_question_speak(tmp_path: Path, instead: str) -> None:
    hours = '[calendars.day]\ntimezone = "UTC"\nhours = { mon-fri = "09:00-17:00" }\n'
    policies = FIRST.replace('notify = ["leads"]', instead)
    with pytest.raises(SecretError, match="leads-slack"), beside(tmp_path, CHANNEL + hours + policies):
        pass


def test_a_start_without_the_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="leads-slack"), beside(tmp_path, CHANNEL + FIRST):
        pass
    path = tmp_path / "observe.toml"
    text = CONFIG.format(url="http://127.0.0.1:9", service="") + CHANNEL + FIRST
    path.write_text(text.replace('mode = "enforce"', 'mode = "observe"'))
    with composed(path, ManualClock(START)):
        pass


def test_a_channel_that_a_reload_brings_is_spoken_to(tmp_path: Path) -> None:
    silent = FIRST.replace('notify = ["leads"]\n', "")
    with told(tmp_path, silent, "") as (one, leads):
        path = tmp_path / "uptier.toml"
        text = path.read_text(encoding="utf-8").replace(silent, CHANNEL + FIRST)
        path.write_text(text, encoding="utf-8")
        assert one.service.reload(load(path))
        one.round(31)
        assert leads.titles == ["acme/1: one (waits)"]


# --- caps and retention --------------------------------------------------------------------------------------


def test_the_cap_of_escalations_holds_for_notifications_too(tmp_path: Path) -> None:
    with told(tmp_path, service="[service.caps]\nescalations_per_hour = 2", tickets=4) as (one, leads):
        one.round(31)
        assert len(leads.taken) == 2
        assert one.held() == ["3", "4"]
        one.release("")
        one.round(1)
        assert len(leads.taken) == 4


def test_the_words_of_a_notification_are_forgotten(tmp_path: Path) -> None:
    with told(tmp_path) as (one, _):
        one.round(31)
        one.clock.advance(31 * 86400)
        assert one.service.forget().texts == 1
        with one.service.parts.store.reading() as connection:
            (kept,) = notices.of_ticket(connection, TicketRef("acme", "1"))
        assert (kept.notice.title, kept.notice.body, kept.state) == ("", "", notices.State.SENT)
        assert one.service.forget().texts == 0


def test_a_condition_on_what_uptier_itself_counts_holds_at_the_sending_too(tmp_path: Path) -> None:
    often = FIRST.replace(
        'status = ["new", "open"]',
        'status = ["new", "open"]\nrequester = { recent_tickets = { at_least = 2 } }',
    )
    with told(tmp_path, often, tickets=2) as (one, leads):
        leads.answers = [500, 500]
        one.round(31)
        rounds(one, 20)
        assert sorted(leads.titles) == ["acme/1: one (waits)", "acme/2: one (waits)"]


def test_a_question_for_approval_is_told_before_its_level_fires(tmp_path: Path) -> None:
    asks = FIRST.replace('notify = ["leads"]', 'note = "handoff"\napproval = { notify = ["leads"] }')
    with told(tmp_path, asks) as (one, leads):
        one.round(31)
        assert one.whats() == ["started", "approval asked", "notified"]
        assert leads.titles == ["acme/1: one (waits)"]
        rounds(one, 30)
        assert len(leads.heard) == 1
