"""Undo of many episodes at once: shown first, the latest write first, every untouched ticket and no other."""

import json
import logging
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connector.app.undoing import carry_out_here, left
from connector.cli.main import app
from connector.demo import CONFIG
from connector.store import notices
from connector.work import undoing
from tests.connector.each import EACH, Each, each
from tests.connector.listening import listening

vendors = pytest.mark.parametrize("vendor", EACH)
POLICY = "urgent-unanswered"
STORM = int(os.environ.get("UPTIER_STORM", "12"))
"""Tickets; `make undo-storm` takes five hundred."""


def storm(one: Each, many: int = STORM) -> list[str]:
    """So many tickets are escalated at once."""
    words = [f"t{number}" for number in range(many)]
    one.opened(*words)
    one.round()
    one.clock.advance(31 * 60)
    settled(one)
    assert all(one.show(word).group == "Tier 2" for word in words)
    return words


def settled(one: Each) -> None:
    """Rounds until nothing is left to look at: of many tickets, not all get their requests in one."""
    for _ in range(60):
        if not one.round(1).looks:
            return


def lines(one: Each, **more: bool) -> tuple[undoing.Line, ...]:
    return undoing.of_many(one.service.parts.store, POLICY, one.clock.now() - 86400, **more)


def undo(one: Each, shown: tuple[undoing.Line, ...]) -> None:
    """Said yes to, and done here."""
    parts = one.service.parts
    undoing.submit(parts.store, shown, who="dana", reason="a storm", now=one.clock.now())
    carry_out_here(parts, [line.ref for line in shown], lambda _: None)
    assert left(parts.store, [line.ref for line in shown]) == ()


@vendors
def test_after_a_storm_every_untouched_ticket_is_restored_and_none_of_the_touched(
    vendor: str, tmp_path: Path
) -> None:
    with each(vendor, tmp_path) as one:
        words = storm(one)
        one.clock.advance(60)
        touched, ended = words[::4], words[1::4]
        for word in touched:
            one.desk.desk.agent_changes(one.desk.tickets[word], "Ann", group="Escalations")
        for word in ended:
            one.desk.answer(word, "Ann", "On it.")
        settled(one)
        shown = lines(one)
        assert len(shown) == len(words)
        assert [line.written for line in shown] == sorted((line.written for line in shown), reverse=True)
        by_ref = {line.ref: line for line in shown}
        assert by_ref[one.ref(touched[0])].stays == ("assign: changed since",)
        assert by_ref[one.ref(ended[0])].goes_back[0] == "Tier 2 / nobody → Tier 1 / nobody"
        assert by_ref[one.ref(ended[0])].said == ('a note of level "Second line"',)
        undo(one, shown)
        for word in words:
            group = "Escalations" if word in touched else "Tier 1"
            assert (one.show(word).group, one.show(word).tags) == (group, {"eu"}), word
        written = one.applied()
        one.rounds(until=600, every=120)
        assert one.applied() == written, "nothing fires again by itself"
        assert all(line.why_not for line in lines(one)) or not lines(one)
        back = lines(one, back=True)
        assert len(back) == len(words)
        undo(one, back)
        assert {one.show(word).group for word in words if word not in touched} == {"Tier 2"}
        assert {one.show(word).group for word in touched} == {"Escalations"}


CHANNEL = CONFIG.replace("[templates.", '[channels.leads]\nurl = "secret:leads"\n\n[templates.', 1).replace(
    'note   = "handoff"', 'note   = "handoff"\nnotify = ["leads"]'
)


def test_each_channel_that_heard_of_it_hears_one_correction(tmp_path: Path) -> None:
    with (
        listening() as channel,
        each("freshdesk", tmp_path, config=CHANNEL, secrets={"UPTIER_SECRET_LEADS": channel.address}) as one,
    ):
        storm(one, 4)
        assert len(channel.taken) == 4
        undo(one, lines(one))
        assert len(channel.taken) == 5
        assert channel.titles[-1] == "4 escalations are taken back"
        said = channel.taken[-1]["message"]
        assert "by dana: a storm" in said
        assert all(str(one.ref(f"t{number}")) in said for number in range(4))
        one.rounds(until=60, every=20)
        undo(one, lines(one))
        assert len(channel.taken) == 5, "nothing is left to undo"


def test_what_a_channel_has_not_heard_yet_it_does_not_hear(tmp_path: Path) -> None:
    with (
        listening() as channel,
        each("freshdesk", tmp_path, config=CHANNEL, secrets={"UPTIER_SECRET_LEADS": channel.address}) as one,
    ):
        one.opened("one")
        one.round()
        one.clock.advance(31 * 60)
        parts = one.service.parts
        parts.feeds.follow(parts.desks["fresh"])
        parts.worker.work(one.ref())
        with parts.store.reading() as connection:
            assert [each.state for each in notices.of_ticket(connection, one.ref())] == ["waiting"]
        one.clock.advance(60)
        undo(one, lines(one))
        assert channel.heard == []
        assert one.show().group == "Tier 1"


def test_a_held_account_does_not_hold_an_undo(tmp_path: Path) -> None:
    with each("zendesk", tmp_path, service="caps = { escalations_per_hour = 4 }\n") as one:
        words = [f"t{number}" for number in range(6)]
        one.opened(*words)
        one.round()
        one.round(31)
        one.round(1)
        assert sorted(one.show(word).group for word in words) == ["Tier 1"] * 2 + ["Tier 2"] * 4
        one.clock.advance(60)
        undo(one, lines(one))
        assert {one.show(word).group for word in words} == {"Tier 1"}


def test_a_later_episode_goes_with_an_earlier_one(tmp_path: Path) -> None:
    with each("servicenow", tmp_path) as one:
        storm(one, 1)
        one.clock.advance(60)
        one.desk.answer("t0", "Ann", "On it.")
        one.round(1)
        one.desk.desk.customer_says(one.desk.tickets["t0"], "And now?")
        one.round(1)
        one.round(31)
        one.round(1)
        ref = one.ref("t0")
        (line,) = undoing.of_one(one.service.parts.store, f"{ref}:{POLICY}:1", None)
        assert line.runs, one.whats("t0")
        undo(one, (line,))
        assert one.show("t0").group == "Tier 1"
        assert [each.episode for each in one.lines("t0") if each.what == "undone"] == [
            f"{ref}:{POLICY}:1",
            f"{ref}:{POLICY}:2",
        ]


def uptier(*words: str, given: str | None = None) -> Result:
    root = logging.getLogger()
    handlers = root.handlers[:]
    result = CliRunner().invoke(app, list(words), input=given)
    root.handlers[:] = handlers  # the runner has closed what the command logged to
    return result


def test_the_command_shows_asks_and_leaves_it_to_the_service_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with each("zendesk", tmp_path) as one:
        storm(one, 2)
        one.clock.advance(60)
        of_all = ("undo", "--policy", POLICY, "--since", "2020-01-01")
        shown = uptier(*of_all, "--format", "json")
        assert [row["goes_back"][0] for row in json.loads(shown.stdout)] == [
            "Tier 2 / nobody → Tier 1 / nobody"
        ] * 2
        for words, wanted in (((), '--reason "WHY" --yes'), (("--reason", "a storm"), "--yes")):
            mute = uptier(*of_all, *words)
            said = f"nothing was done; `{wanted}` does it without asking"
            assert (mute.exit_code, mute.stdout.splitlines()[-1]) == (1, said)
        refused = uptier(*of_all, "--yes")
        assert (refused.exit_code, "--reason" in refused.stderr) == (2, True)
        monkeypatch.setattr("connector.cli.undo.somebody_is_there", lambda: True)
        no = uptier(*of_all, given="a storm\nn\n")
        assert (no.exit_code, "Why" in no.stdout, no.stdout.splitlines()[-1]) == (1, True, "nothing was done")
        assert one.whats("t0").count("undone") == 0
        done = uptier(*of_all, "--reason", "a storm", "--yes", "--wait", "1s")
        assert (done.exit_code, "a service runs" in done.stderr) == (1, True), done.stdout
        one.round(1)
        one.round(1)
        assert one.show("t0").group == "Tier 1"
    again = uptier(*of_all)
    assert again.stdout.splitlines()[-1] == "0 tickets: nothing to do.", again.stdout


def test_with_no_service_the_command_does_it_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with each("zendesk", tmp_path) as one:
        storm(one, 1)
        one.clock.advance(60)
        ref = one.ref("t0")
        one.service.__exit__()
        for name, value in one.desk.secrets().items():
            monkeypatch.setenv(name, value)
        done = uptier("undo", f"{ref}:{POLICY}:1", "--reason", "a mistake", "--yes")
        assert done.exit_code == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] == "1 ticket: 1 undone."
        assert done.stderr.splitlines()[0] == "0 of 1 ticket done"
        assert '"level": "info"' not in done.stderr
        assert one.show("t0").group == "Tier 1"
