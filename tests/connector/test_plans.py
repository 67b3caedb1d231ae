"""A plan shows what would be done; applied it does exactly that, once, or says what has drifted."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from adapters.simulation.server import serve
from adapters.zendesk.simulator import create
from connector.app.applying import Applied, apply_here, outcome, served_by_others
from connector.cli.main import app
from connector.clock import ManualClock, SystemClock
from connector.config.settings import Caps
from connector.demo import CONFIG
from connector.intake.inbox import submit_order
from connector.store import accounts, fleet, schema
from connector.store.database import shared_now
from connector.store.fleet import Node
from connector.work.planning import Maker
from connector.work.plans import ManyPlan, NotApplicable, as_file, from_file, give, refusal
from policies.model import Instant
from tests.connector.beside import START, composed
from tests.connector.each import DESKS, EACH, Each, each
from tests.connector.listening import listening
from tests.connector.stores import fresh_store
from tests.postgres import database

NOTIFYING = CONFIG.replace("[[policy]]", '[channels.leads]\nurl = "secret:leads"\n\n[[policy]]', 1).replace(
    'note   = "handoff"', 'note   = "handoff"\nnotify = ["leads"]', 1
)


def planned(
    one: Each, policy: str | None = None, *, at: Instant | None = None, caps: Caps | None = None
) -> ManyPlan:
    """What `uptier plan` makes now."""
    parts = one.service.parts
    maker = Maker(
        store=parts.store,
        desks=parts.desks,
        rules=parts.rules(),
        caps=caps or Caps(),
        clock=one.clock,
        progress=lambda _: None,
    )
    return maker.make(policy, None, one.clock.now() if at is None else at)


def applied(one: Each, plan: ManyPlan) -> Applied:
    """What `uptier apply` does with it where no service runs, having read it from its file."""
    return apply_here(one.service.parts, from_file(as_file(plan)), "eli", lambda _: None)


def fates(done: Applied) -> list[str]:
    return [fate for fate, _ in done.fates.values()]


def waiting(one: Each, *words: str, minutes: float = 31) -> None:
    """Tickets that Uptier knows, and of which the first level has become due since."""
    one.opened(*words)
    one.round()
    one.clock.advance(int(minutes * 60))


@pytest.mark.parametrize("vendor", EACH)
def test_a_plan_shows_what_applying_it_does(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        waiting(one, "one", "two")
        plan = planned(one)
        assert one.applied() == 0
        assert [line.ticket for line in plan.lines] == [str(one.ref("one")), str(one.ref("two"))]
        line = plan.lines[0]
        assert {each.field: (each.before, each.after) for each in line.fields if each.field == "group"} == {
            "group": ("Tier 1", "Tier 2")
        }
        assert "customer" in line.messages[0].body or "31m" in line.messages[0].body
        assert line.owner == "Tier 2"
        assert line.writes == 2 if vendor == "freshdesk" else 1
        assert line.reads > 0
        one.clock.advance(1800)
        done = applied(one, plan)
        assert fates(done) == ["plan applied"] * 2
        assert done.whole
        for word in ("one", "two"):
            shown = one.show(word)
            assert (shown.group, shown.notes) == ("Tier 2", 1)
        assert one.applied() == sum(line.writes for line in plan.lines)
        before = one.applied()
        assert fates(applied(one, plan)) == ["plan applied"] * 2
        assert one.applied() == before


@pytest.mark.parametrize("vendor", EACH)
def test_a_plan_made_before_a_human_edit_applies_everything_but_that_ticket(
    vendor: str, tmp_path: Path
) -> None:
    with each(vendor, tmp_path) as one:
        waiting(one, "one", "two", "three")
        plan = planned(one)
        one.clock.advance(60)
        one.desk.answer("two", "Ann", "Try again, please.")
        one.clock.advance(60)
        done = applied(one, plan)
        assert fates(done) == ["plan applied", "plan drifted", "plan applied"]
        assert "acted" in done.fates[str(one.ref("two"))][1]
        assert [one.show(word).notes for word in ("one", "two", "three")] == [1, 0, 1]


EDITS: dict[str, dict[str, Any]] = {
    "zendesk": {"priority": "high"},
    "freshdesk": {"priority": 3},
    "servicenow": {"urgency": "3"},
}


@pytest.mark.parametrize("vendor", EACH)
def test_a_field_that_somebody_changed_is_drift_on_every_helpdesk(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        waiting(one, "one", "two")
        plan = planned(one)
        one.clock.advance(5)
        one.desk.desk.agent_changes(one.desk.tickets["one"], "Ann", **EDITS[vendor])
        one.clock.advance(5)
        done = applied(one, plan)
        assert fates(done) == ["plan drifted", "plan applied"]
        assert one.show("one").notes == 0


def test_what_a_rule_of_the_helpdesk_does_elsewhere_on_the_ticket_is_no_drift(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.clock.advance(5)
        one.desk.desk.rule_changes(one.desk.tickets["one"], type="incident")
        one.clock.advance(5)
        assert fates(applied(one, plan)) == ["plan applied"]


def test_a_value_that_its_writes_read_is_drift(tmp_path: Path) -> None:
    """A rule adds the very tag, which no condition reads."""
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.clock.advance(5)
        one.desk.desk.rule_changes(one.desk.tickets["one"], tags=["eu", "blue"])
        one.clock.advance(5)
        done = applied(one, plan)
        assert fates(done) == ["plan drifted"]
        assert "blue" in done.fates[str(one.ref())][1]


def test_it_happens_when_it_is_applied_in_the_words_of_the_plan(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.clock.advance(3600)
        then = one.clock.now()
        assert applied(one, plan).whole
        (body,) = [str(note["body"]) for note in one.desk.desk.ticket(1).comments if not note["public"]]
        assert body == plan.lines[0].messages[0].body
        assert "waiting for 31m" in body
        fired = next(line for line in one.lines() if line.what == "fired")
        assert then <= fired.at <= one.clock.now()


def test_a_line_that_drifted_does_nothing_else_either(tmp_path: Path) -> None:
    """By now level two is due; but somebody has added a note, and the line is of level one."""
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.clock.advance(7200)
        one.desk.desk.agent_says(1, "Ann", "Hm.", public=False)
        one.clock.advance(5)
        assert fates(applied(one, plan)) == ["plan drifted"]
        assert one.log() == []
        one.round()
        assert one.show().group == "Duty managers"


def test_of_a_ticket_that_is_due_for_more_by_now_the_line_is_done_as_planned(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.clock.advance(7200)
        assert applied(one, plan).whole
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)
        one.round(1)
        assert (one.show().group, one.show().notes) == ("Duty managers", 2)


def test_an_order_of_a_person_is_drift(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        parts = one.service.parts
        submit_order(
            parts.store,
            one.ref(),
            verb="snooze",
            who="dana",
            now=one.clock.now(),
            policies=parts.rules().policies,
            reason="I call them",
            span="2h",
        )
        done = applied(one, plan)
        assert done.fates[str(one.ref())] == ("plan drifted", "dana ordered something for it since: snooze")
        assert one.log() == []


def test_another_text_of_its_policy_is_drift_and_another_policy_is_not(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one", "two")
        plan = planned(one)
        rules = one.service.parts.rules()
        (policy,) = rules.policies.policies
        other = replace(policy, hash="another")
        one.service.parts.rules.replace(replace(rules, policies=replace(rules.policies, policies=(other,))))
        done = applied(one, plan)
        assert fates(done) == ["plan drifted"] * 2
        assert "another text" in done.fates[str(one.ref())][1]


def test_an_owner_who_would_be_somebody_else_is_drift(tmp_path: Path) -> None:
    config = (
        CONFIG.replace('owner  = "Tier 2"', 'owner  = "lead_of(group)"') + '[groups."Tier 2"]\nlead = "Ann"\n'
    )
    with each("zendesk", tmp_path, config=config) as one:
        waiting(one, "one")
        plan = planned(one)
        assert plan.lines[0].owner == "ann@acme.test"
        rules = one.service.parts.rules()
        one.service.parts.rules.replace(
            replace(rules, policies=replace(rules.policies, leads={"Tier 2": "Dana"}))
        )
        assert fates(applied(one, plan)) == ["plan drifted"]
        assert one.log() == []


def test_what_the_cap_holds_is_said_before_and_held_by_itself(tmp_path: Path) -> None:
    caps = "caps = { escalations_per_hour = 2 }"
    with each("zendesk", tmp_path, service=caps) as one:
        waiting(one, "one", "two", "three")
        plan = planned(one, caps=Caps(escalations_per_hour=2))
        assert [bool(line.held) for line in plan.lines] == [False, False, True]
        done = applied(one, plan)
        assert fates(done) == ["plan applied", "plan applied", "plan held"]
        assert [one.show(word).notes for word in ("one", "two", "three")] == [1, 1, 0]


def test_policies_that_observe_are_shown_as_they_would_be_and_not_applied(tmp_path: Path) -> None:
    with each("zendesk", tmp_path, config=CONFIG.replace('"enforce"', '"observe"')) as one:
        waiting(one, "one", "two")
        one.round()
        plan = planned(one)
        assert plan.observes == ("urgent-unanswered",)
        assert [len(line.messages) for line in plan.lines] == [1, 1]
        assert "only observe" in str(refusal(plan, ["acme"], one.clock.now()))
        assert one.log() == []


def test_of_a_mixture_the_enforced_ones_are_planned_and_the_others_named(tmp_path: Path) -> None:
    second = (
        CONFIG[CONFIG.index("[[policy]]") :]
        .replace("urgent-unanswered", "second")
        .replace("handoff", "other")
    )
    second = second.replace("[[policy]]", '[[policy]]\nmode = "observe"', 1)
    config = CONFIG + second + '[templates.other]\nen = "Also: {{ level.name }}"\n'
    with each("zendesk", tmp_path, config=config) as one:
        waiting(one, "one")
        both = planned(one)
        assert (both.observes, both.passed_over) == ((), ("second",))
        assert {step.policy for step in both.lines[0].steps} == {"urgent-unanswered"}
        assert "Also" not in both.lines[0].messages[0].body
        would = planned(one, "second")
        assert would.observes == ("second",)
        assert "Also" in would.lines[0].messages[0].body


def test_a_plan_for_later_is_to_be_looked_at(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one", minutes=1)
        assert planned(one).lines == ()
        later = planned(one, at=one.clock.now() + 7200)
        assert [step.level for step in later.lines[0].steps] == ["Duty managers"]
        assert "time to come" in str(refusal(later, ["acme"], one.clock.now()))


def test_a_plan_is_good_for_a_day(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        assert refusal(plan, ["acme"], plan.made_at + 86399) is None
        assert "24 hours" in str(refusal(plan, ["acme"], plan.made_at + 86400))
        assert "no account" in str(refusal(plan, ["other"], plan.made_at))
        one.clock.advance(86400)
        done = applied(one, plan)
        assert done.fates[str(one.ref())] == ("plan drifted", "the plan has expired")


def test_a_file_that_was_changed_is_no_plan(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        text = as_file(planned(one))
        assert from_file(text) == planned(one)
        for changed in (
            text.replace("Tier 2", "Tier 3"),
            text.replace('"made_at": 1', '"made_at": 2'),
            text[:-4],
            "[]",
            "",
            text.replace('"version": 1', '"version": 2'),
        ):
            with pytest.raises(NotApplicable):
                from_file(changed)


def test_turns_are_handed_out_as_they_were_shown(tmp_path: Path) -> None:
    config = CONFIG.replace(
        'assign = { group = "Tier 2" }', 'assign = { group = "Tier 2", agent = "round_robin" }'
    )
    with each("zendesk", tmp_path, config=config) as one:
        one.desk.desk.seed(agents=[{"name": "Ben", "email": "ben@acme.test", "groups": ["Tier 2"]}])
        waiting(one, "one", "two", "three", "four")
        plan = planned(one)
        shown = [{each.field: each.after for each in line.fields}["assignee"] for line in plan.lines]
        assert shown[:2] == ["ann@acme.test", "ben@acme.test"] == shown[2:]
        one.clock.advance(60)
        assert applied(one, plan).whole
        assert [one.show(word).assignee for word in ("one", "two", "three", "four")] == ["Ann", "Ben"] * 2


def test_a_service_does_what_a_plan_orders_and_nobody_does_it_twice(tmp_path: Path) -> None:
    """What the service has fired itself meanwhile has drifted."""
    with each("zendesk", tmp_path) as one:
        waiting(one, "one", "two")
        plan = planned(one)
        store = one.service.parts.store
        with store.writing() as connection:
            give(connection, plan, "eli", one.clock.now())
            give(connection, plan, "eli", one.clock.now() + 1)
        one.round()
        assert outcome(store, plan).whole
        assert [one.show(word).notes for word in ("one", "two")] == [1, 1]
        again = planned(one)
        assert again.lines == ()
        one.round(91)
        assert [one.show(word).notes for word in ("one", "two")] == [2, 2]


def test_what_the_service_did_first_is_not_done_again(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.round()
        assert one.show().notes == 1
        done = applied(one, plan)
        assert fates(done) == ["plan drifted"]
        assert one.show().notes == 1


@pytest.mark.parametrize("vendor", EACH)
def test_the_rest_of_a_line_is_sent_after_its_first_write_was_lost_and_found(
    vendor: str, tmp_path: Path
) -> None:
    with each(vendor, tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.fault("drop", applied=True)
        done = applied(one, plan)
        assert fates(done) == ["plan applied"]
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)
        assert one.applied() == plan.lines[0].writes


def test_channels_hear_what_the_plan_showed(tmp_path: Path) -> None:
    with (
        listening() as leads,
        each("zendesk", tmp_path, config=NOTIFYING, secrets={"UPTIER_SECRET_LEADS": leads.address}) as one,
    ):
        waiting(one, "one")
        plan = planned(one)
        (words,) = plan.lines[0].notifies
        assert words.to == "leads"
        assert applied(one, plan).whole
        assert [(each["title"], each["message"]) for each in leads.heard] == [(words.title, words.body)]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """`uptier` on a Zendesk where two tickets wait for 40 minutes by this machine's clock, seen in observe."""
    monkeypatch.chdir(tmp_path)
    simulator: Any = create(time.time)
    with serve(simulator) as url:
        desk: Any = DESKS["zendesk"](app=simulator, url=url)
        desk.furnish()
        for word in ("one", "two"):
            desk.open(word, f"About {word}", "eu", int(time.time()) - 2400)
        for name, value in desk.secrets().items():
            monkeypatch.setenv(name, value)
        config = CONFIG + desk.config()
        (tmp_path / "uptier.toml").write_text(config.replace('"enforce"', '"observe"'), encoding="utf-8")

        def uptier(*words: str, enforce: bool = False) -> Result:
            if enforce:
                (tmp_path / "uptier.toml").write_text(config, encoding="utf-8")
            return CliRunner().invoke(app, list(words))

        assert uptier("run", "--once").exit_code == 0
        yield uptier


def test_from_observe_to_what_was_shown_by_the_commands(
    commands: Callable[..., Result], tmp_path: Path
) -> None:
    would = commands("plan", "-o", "would.json")
    assert would.exit_code == 0
    assert "acme/1  urgent-unanswered / Second line  Tier 2" in would.output
    assert "it would take 2 writes" in would.output
    assert "    | urgent-unanswered, Second line: customer waiting for 40m" in would.output
    refused = commands("apply", "would.json")
    assert (refused.exit_code, "only observe" in refused.output) == (2, True)

    kept = commands("plan", "-o", "plan.json", enforce=True)
    assert "`uptier apply plan.json` does it, until" in kept.output
    text = (tmp_path / "plan.json").read_text(encoding="utf-8")
    (tmp_path / "mine.json").write_text(text.replace("Tier 2", "Tier 3"), encoding="utf-8")
    edited = commands("apply", "mine.json")
    assert (edited.exit_code, "changed after it was made" in edited.output) == (2, True)
    assert "plan applied" not in commands("history", "acme/1").output

    done = commands("apply", "plan.json")
    assert done.exit_code == 0, done.output
    assert "acme/1: applied\nacme/2: applied\n2 tickets: 2 applied." in done.output
    again = commands("apply", "plan.json", "--format", "json")
    assert again.exit_code == 0
    last = json.loads(again.stdout.splitlines()[-1])
    assert {each["fate"] for each in last["lines"].values()} == {"plan applied"}
    assert commands("history", "acme/1").output.count("written") == 1
    assert "0 tickets as of" in commands("plan").output


def test_beside_a_service_the_command_leaves_its_orders_and_tells_what_became_of_them(
    commands: Callable[..., Result], tmp_path: Path
) -> None:
    assert commands("plan", "-o", "plan.json", enforce=True).exit_code == 0
    with composed(tmp_path / "uptier.toml", SystemClock(), os.environ) as service:
        left = commands("apply", "plan.json", "--wait", "1s")
        assert (left.exit_code, left.output.count("not done yet")) == (1, 3)
        service.once(lambda _: None)
        done = commands("apply", "plan.json")
        assert (done.exit_code, "2 tickets: 2 applied." in done.output) == (0, True)


def test_a_level_that_only_notifies_is_a_line_too(tmp_path: Path) -> None:
    config = NOTIFYING.replace(
        'assign = { group = "Tier 2" }\ntags   = ["escalated"]\nnote   = "handoff"\n', "", 1
    )
    with (
        listening() as leads,
        each("zendesk", tmp_path, config=config, secrets={"UPTIER_SECRET_LEADS": leads.address}) as one,
    ):
        waiting(one, "one")
        plan = planned(one)
        (line,) = plan.lines
        assert (line.writes, line.fields, line.messages, len(line.notifies)) == (0, (), (), 1)
        assert applied(one, plan).whole
        assert applied(one, plan).whole
        assert len(leads.heard) == 1
        assert one.whats().count("fired") == 1


def test_a_question_for_approval_is_shown_as_one(tmp_path: Path) -> None:
    asks = 'approval = { notify = ["leads"] }\nafter  = "30m"'
    with (
        listening() as leads,
        each(
            "zendesk",
            tmp_path,
            config=NOTIFYING.replace('after  = "30m"', asks),
            secrets={"UPTIER_SECRET_LEADS": leads.address},
        ) as one,
    ):
        waiting(one, "one")
        plan = planned(one)
        assert [step.what for step in plan.lines[0].steps] == ["approval asked"]
        done = applied(one, plan)
        assert (done.whole, done.untold, len(leads.heard)) == (True, 0, 1)
        assert "approval asked" in one.whats()


def test_an_account_that_is_paused_or_was_read_long_ago_is_named(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one", minutes=1)
        assert planned(one).remarks == ()
        one.clock.advance(3600)
        (remark,) = planned(one).remarks
        assert re.fullmatch("acme was last read 1h1m.* ago; what is new there is not in the plan", remark)
        one.service.parts.worker.pause("acme", "the token is gone")
        plan = planned(one)
        assert (plan.lines, plan.unread) == ((), {"acme": "the account is paused: the token is gone"})


def test_lines_of_a_paused_account_wait_and_say_so(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one")
        plan = planned(one)
        one.service.parts.worker.pause("acme", "the token is gone")
        before = one.clock.now()
        done = applied(one, plan)
        assert done.waiting == {"acme/1": "the account is paused: the token is gone"}
        assert (one.clock.now(), one.log()) == (before, [])
        with one.service.parts.store.writing() as connection:
            accounts.resume(connection, "acme")
        assert applied(one, plan).whole


def test_what_an_order_read_goes_when_it_has_ended_and_one_that_nobody_can_read_ends(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        waiting(one, "one", "two")
        plan = planned(one)
        store = one.service.parts.store
        with store.writing() as connection:
            give(connection, plan, "eli", one.clock.now())
            connection.execute(
                update(schema.inbox).where(schema.inbox.c.ticket == "2").values(hint='{"of": 1}')
            )
        one.round()
        with store.reading() as connection:
            hints = connection.execute(
                select(schema.inbox.c.hint).where(schema.inbox.c.kind == "plan")
            ).scalars()
            assert list(hints) == ["", ""]
        assert "plan drifted" in one.whats("two")
        assert [one.show(word).notes for word in ("one", "two")] == [1, 1]


def test_a_worker_of_a_fleet_that_speaks_takes_the_orders(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with fresh_store("postgresql", tmp_path) as store:
        for roles, served in ((("console",), False), (("worker",), True)):
            with store.writing() as connection:
                node = Node(
                    name="host:1", roles=roles, at=shared_now(connection, clock), failing=(), skews={}
                )
                fleet.keep(connection, node)
            assert served_by_others(store, clock) is served
        clock.advance(60)
        assert not served_by_others(store, clock)


def test_on_postgresql_a_plan_is_carried_out_too(tmp_path: Path) -> None:
    with (
        database() as url,
        each("zendesk", tmp_path, config=CONFIG.replace("sqlite:///uptier.db", url)) as one,
    ):
        waiting(one, "one", "two")
        plan = planned(one)
        one.desk.answer("two", "Ann", "Try again, please.")
        one.clock.advance(5)
        done = applied(one, plan)
        assert fates(done) == ["plan applied", "plan drifted"]
        assert fates(applied(one, plan)) == ["plan applied", "plan drifted"]
        assert [one.show(word).notes for word in ("one", "two")] == [1, 0]
