"""`uptier connect` and `disconnect`: what is made at the helpdesk is shown, kept by its id, found again after a kill,
tried, and removed; and nothing else is touched."""

import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.base import HelpdeskError, Hook
from adapters.freshdesk.hooks import steps
from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from adapters.zendesk.simulator import create
from adapters.zendesk.simulator.state import Zendesk
from connector.app import connecting
from connector.cli.main import app
from connector.clock import ManualClock
from connector.intake.receiver import KIND
from connector.store import holds, hooks, inbox
from connector.store.database import Store
from connector.store.inbox import Arrival
from tests.adapters.zendesk.test_simulator_hooks import Ear, listening
from tests.connector.beside import CONFIG, LADDER, SECRETS, START, composed, furnish
from tests.connector.each import DESKS
from tests.connector.stores import fresh_store
from tests.connector.test_cli import InMemory, memory
from tests.crash.soak import free_port

__all__ = ["memory"]

DOCS = Path(__file__).parent.parent.parent / "docs"
NAMED = 'outside = "{}"'
OURS = "Uptier acme "


def uptier(*words: str, said: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=said)


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening() as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ear: Ear, memory: InMemory) -> Iterator[Zendesk]:
    """A simulated account, and `uptier.toml` for it; at its outside address stands an ear."""
    sim = create(time.time)
    one: Zendesk = sim.state.zendesk
    furnish(one)
    monkeypatch.setenv("UPTIER_SECRET_ACME_TOKEN", SECRETS["UPTIER_SECRET_ACME_TOKEN"])
    monkeypatch.chdir(tmp_path)
    with serve(sim) as url:
        outside = NAMED.format(ear.url.removesuffix("/hooks/acme"))
        (tmp_path / "uptier.toml").write_text(
            CONFIG.format(url=url, service=outside) + LADDER, encoding="utf-8"
        )
        yield one


def names(desk: Zendesk) -> list[str]:
    return [str(hook.told.get("name", hook.id)) for hook in desk.hooks.hooks]


def asked(desk: Zendesk, method: str) -> list[str]:
    return [row.path for row in desk.log if row.method == method and "oauth" not in row.path]


def test_it_shows_what_it_will_do_and_does_it_after_a_yes(desk: Zendesk, ear: Ear, memory: InMemory) -> None:
    before = len(desk.ticket(1).audits)
    shown = uptier("connect", "acme")
    assert shown.exit_code == 1, shown.output
    assert "nothing was done" in shown.stdout
    assert f"which posts 22 kinds of ticket events as JSON to {ear.url}" in shown.stdout
    assert desk.hooks.hooks == []
    assert asked(desk, "POST") == []

    done = uptier("connect", "acme", "--yes")
    assert done.exit_code == 0, done.output
    (hook,) = desk.hooks.hooks
    assert hook.url == ear.url
    assert names(desk)[0].startswith(OURS)
    assert "its test arrived, and the signature is the right one" in done.stdout
    assert memory.kept["uptier", "acme-webhook"] == hook.secret
    assert hook.secret not in done.output
    assert len(desk.ticket(1).audits) == before, "no ticket was changed"
    assert asked(desk, "PUT") == []


def test_called_again_it_finds_what_it_made_and_makes_nothing(desk: Zendesk) -> None:
    assert uptier("connect", "acme", "--yes").exit_code == 0
    again = uptier("connect", "acme", "--yes")
    assert again.exit_code == 0, again.output
    assert "which posts there already; uptier made it" in again.stdout
    assert len(desk.hooks.hooks) == 1


@pytest.mark.parametrize(
    "when", ["before it is made", "the answer is lost", "before its id is kept", "at its secret"]
)
def test_killed_in_the_middle_it_goes_on_and_doubles_nothing(
    when: str, desk: Zendesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise SystemExit(1)

    with monkeypatch.context() as patch:
        if when == "before it is made":
            patch.setattr("adapters.zendesk.hooks.ZendeskHooks.make", dies)
        elif when == "before its id is kept":
            patch.setattr("connector.store.hooks.made", dies)
        elif when == "at its secret":
            patch.setattr("connector.app.connecting.keep_secret", dies)
        else:
            desk.faults.append(Fault(kind="drop", method="POST", path="*/webhooks", applied=True))
        first = uptier("connect", "acme", "--yes")
    assert first.exit_code == 1
    if when == "the answer is lost":
        assert "call `uptier connect acme` again" in first.output
    again = uptier("connect", "acme", "--yes")
    assert again.exit_code == 0, again.output
    assert len(desk.hooks.hooks) == 1
    assert uptier("disconnect", "acme", "--yes").exit_code == 0
    assert desk.hooks.hooks == []


def test_disconnect_removes_what_connect_made_and_nothing_else(desk: Zendesk, ear: Ear) -> None:
    theirs = desk.hooks.subscribe("https://crm.test/zendesk", "their-own-secret")
    assert uptier("connect", "acme", "--yes").exit_code == 0
    (ours,) = (hook for hook in desk.hooks.hooks if hook is not theirs)
    kept = uptier("disconnect", "acme")
    assert (kept.exit_code, len(desk.hooks.hooks)) == (1, 2), "nobody said yes"
    assert f'remove the webhook "{ours.told["name"]}" ({ours.id})' in kept.stdout
    gone = uptier("disconnect", "acme", "--yes")
    assert gone.exit_code == 0, gone.output
    assert desk.hooks.hooks == [theirs]
    assert asked(desk, "DELETE") == [f"/api/v2/webhooks/{ours.id}"]
    again = uptier("disconnect", "acme", "--yes")
    assert again.exit_code == 0
    assert "uptier has made nothing" in again.stdout


def test_a_webhook_that_somebody_made_for_this_address_stays_and_gets_no_twin(
    desk: Zendesk, ear: Ear
) -> None:
    theirs = desk.hooks.subscribe(ear.url, "their-own-secret")
    done = uptier("connect", "acme", "--yes")
    assert done.exit_code == 0, done.output
    assert "uptier did not make it" in done.stdout
    assert desk.hooks.hooks == [theirs]
    assert uptier("disconnect", "acme", "--yes").exit_code == 0
    assert desk.hooks.hooks == [theirs]


def test_an_address_that_moved_takes_the_webhook_along(desk: Zendesk, tmp_path: Path) -> None:
    assert uptier("connect", "acme", "--yes").exit_code == 0
    (old,) = desk.hooks.hooks
    path = tmp_path / "uptier.toml"
    with listening() as other:
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace(old.url.removesuffix("/hooks/acme"), other.url.removesuffix("/hooks/acme"))
        )
        done = uptier("connect", "acme", "--yes")
        assert done.exit_code == 0, done.output
        assert f"it posts to {old.url}" in done.stdout
        assert [hook.url for hook in desk.hooks.hooks] == [other.url]


def test_what_an_admin_removed_is_made_anew(desk: Zendesk) -> None:
    assert uptier("connect", "acme", "--yes").exit_code == 0
    desk.hooks.remove(desk.hooks.hooks[0])
    assert uptier("connect", "acme", "--yes").exit_code == 0
    assert len(desk.hooks.hooks) == 1


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "Start it anew and connect again"),
        (502, "does `uptier run` run"),
        (404, "does `uptier run` run"),
    ],
)
def test_a_test_that_fails_says_the_next_step(status: int, told: str, desk: Zendesk, ear: Ear) -> None:
    ear.answers = [(status, {})]
    done = uptier("connect", "acme", "--yes")
    assert done.exit_code == 1
    assert told in done.stdout


def test_a_secret_goes_to_a_file_that_its_owner_alone_reads(
    desk: Zendesk, tmp_path: Path, memory: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hook.secret"
    done = uptier("connect", "acme", "--yes", "--secret-file", str(file))
    assert done.exit_code == 0, done.output
    (hook,) = desk.hooks.hooks
    assert file.read_text(encoding="utf-8").strip() == hook.secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "secret" in path.name] == ["hook.secret"]
    assert memory.kept == {}
    assert hook.secret not in done.output
    assert "UPTIER_SECRET_ACME_WEBHOOK_FILE" in done.stdout
    again = uptier("connect", "acme", "--yes", "--secret-file", str(file))
    assert again.exit_code == 0, again.output
    file.write_text("something else", encoding="utf-8")
    refused = uptier("connect", "acme", "--yes", "--secret-file", str(file))
    assert refused.exit_code == 2
    assert "holds something else" in refused.output
    assert file.read_text(encoding="utf-8") == "something else"


def test_a_secret_that_is_at_hand_already_is_compared_and_kept_nowhere_else(
    desk: Zendesk, memory: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert uptier("connect", "acme", "--yes").exit_code == 0
    monkeypatch.setenv("UPTIER_SECRET_ACME_WEBHOOK", memory.kept.pop(("uptier", "acme-webhook")))
    again = uptier("connect", "acme", "--yes")
    assert again.exit_code == 0, again.output
    assert "see whether it is what secret:acme-webhook holds" in again.stdout
    assert memory.kept == {}


def test_a_value_that_is_looked_at_first_is_named(desk: Zendesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPTIER_SECRET_ACME_WEBHOOK", "another-secret-of-old")
    early = uptier("connect", "acme", "--yes")
    assert (early.exit_code, len(desk.hooks.hooks)) == (2, 0), "said before anything is made"
    for told in (
        "environment variable UPTIER_SECRET_ACME_WEBHOOK holds",
        "nothing was made",
        "--secret-file",
    ):
        assert told in early.output
    monkeypatch.delenv("UPTIER_SECRET_ACME_WEBHOOK")
    assert uptier("connect", "acme", "--yes").exit_code == 0
    monkeypatch.setenv("UPTIER_SECRET_ACME_WEBHOOK", "another-secret-of-old")
    done = uptier("connect", "acme", "--yes")
    assert done.exit_code == 1
    assert "environment variable UPTIER_SECRET_ACME_WEBHOOK holds another value" in done.output
    assert "another-secret-of-old" not in done.output


def test_without_an_outside_address_the_next_step_is_said(desk: Zendesk, tmp_path: Path) -> None:
    path = tmp_path / "uptier.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("outside")), encoding="utf-8")
    done = uptier("connect", "acme", "--yes")
    assert done.exit_code == 2
    assert "outside = " in done.output


def test_no_admin_is_told_and_nothing_is_left(desk: Zendesk) -> None:
    desk.people.user("Uptier")["role"] = "agent"
    done = uptier("connect", "acme", "--yes")
    assert done.exit_code == 1
    assert "403" in done.output
    assert "must be an admin" in done.output
    assert uptier("disconnect", "acme").exit_code == 0


def test_beside_a_running_service(desk: Zendesk, tmp_path: Path, ear: Ear, memory: InMemory) -> None:
    """The whole way: made, refused by a service that does not know the secret yet, taken once it does, heard."""
    port = free_port()
    path = tmp_path / "uptier.toml"
    text = path.read_text(encoding="utf-8").replace("127.0.0.1:0", f"127.0.0.1:{port}")
    path.write_text(
        text.replace(ear.url.removesuffix("/hooks/acme"), f"http://127.0.0.1:{port}"), encoding="utf-8"
    )
    assert "no answer" in uptier("connect", "acme", "--yes").stdout, "nothing runs yet"
    from connector.clock import SystemClock

    found = {**SECRETS, "UPTIER_SECRET_ACME_WEBHOOK": memory.kept["uptier", "acme-webhook"]}
    with composed(path, SystemClock(), found) as service:
        service.start()
        assert uptier("connect", "acme", "--yes").exit_code == 0
        desk.agent_changes(1, agent="Ann", priority="urgent")
        assert {attempt.status for attempt in desk.hooks.deliver()} == {202}
        service.stop()


# --- what only a person can set up ------------------------------------------------------------------------------


@contextmanager
def pasted(vendor: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from importlib.metadata import entry_points

    from connector.demo import CONFIG as PLAIN

    (entry,) = entry_points(group="uptier.simulators", name=vendor)
    sim: Any = entry.load()(time.time)
    monkeypatch.chdir(folder)
    with serve(sim) as url:
        one: Any = DESKS[vendor](app=sim, url=url)
        one.furnish()
        outside = PLAIN.replace("[service]", f"[service]\n{NAMED.format('https://uptier.acme.example')}", 1)
        (folder / "uptier.toml").write_text(outside + one.config(), encoding="utf-8")
        for name, value in one.secrets().items():
            monkeypatch.setenv(name, value)
        yield one


@pytest.mark.parametrize("vendor", ["freshdesk", "servicenow"])
def test_the_text_to_paste_has_the_accounts_address_and_no_secret(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pasted(vendor, tmp_path, monkeypatch) as one:
        before = len(one.desk.log)
        done = uptier("connect", one.account)
        assert done.exit_code == 0, done.output
        assert f"https://uptier.acme.example/hooks/{one.account}" in done.stdout
        assert f"secret:{one.account}-webhook" in done.stdout
        for mark in ("`", "**", "|--", " *"):
            assert mark not in done.stdout, "a terminal shows no Markdown"
        assert not any(value in done.output for value in one.secrets().values())
        assert len(one.desk.log) == before, "nothing is asked of the helpdesk"
        assert "is not kept yet" not in done.stdout
        monkeypatch.delenv(f"UPTIER_SECRET_{one.account.upper()}_WEBHOOK")
        without = uptier("connect", one.account)
        assert without.exit_code == 0, without.output
        assert f"uptier secret set {one.account}-webhook" in without.stdout
        assert without.stdout.startswith("First:"), "what blocks is said before the text to paste"
        file = tmp_path / "made"
        made = uptier("connect", one.account, "--secret-file", str(file))
        assert (made.exit_code, file.stat().st_mode & 0o777) == (0, 0o600), made.output
        assert f"UPTIER_SECRET_{one.account.upper()}_WEBHOOK_FILE must name that file" in made.stdout
        assert len(value := file.read_text(encoding="utf-8").strip()) == 64
        assert value not in made.output
        monkeypatch.setenv(f"UPTIER_SECRET_{one.account.upper()}_WEBHOOK_FILE", str(file))
        again = uptier("connect", one.account, "--secret-file", str(file))
        assert (again.exit_code, "is the one in" in again.stdout, "First:" in again.stdout) == (
            0,
            True,
            False,
        )
        other = uptier("connect", one.account, "--secret-file", str(tmp_path / "other"))
        assert (other.exit_code, "holds a value for" in other.stderr) == (2, True)
        monkeypatch.delenv(f"UPTIER_SECRET_{one.account.upper()}_WEBHOOK_FILE")
        for name in one.secrets():
            monkeypatch.delenv(name, raising=False)
        gone = uptier("disconnect", one.account)
        assert (gone.exit_code, "nothing recorded" in gone.stdout) == (0, True), (
            "no secret is needed for that"
        )
        assert "by hand" in gone.stdout
        place = {"freshdesk": "Workflows > Automations", "servicenow": f"uptier.{one.account}.endpoint"}
        assert place[vendor] in gone.stdout
        assert f"take `webhook` out of [accounts.{one.account}]" in gone.stdout
        assert "secret stays where it is kept" in gone.stdout


@pytest.mark.parametrize("vendor", ["freshdesk", "servicenow"])
def test_a_config_that_names_no_secret_is_told_what_to_write(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pasted(vendor, tmp_path, monkeypatch) as one:
        path = tmp_path / "uptier.toml"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith("webhook =")), encoding="utf-8")
        done = uptier("connect", one.account, "--wait", "1h")
        assert done.exit_code == 1, "nothing is waited for"
        assert f'write webhook = {{ secret = "secret:{one.account}-webhook" }}' in done.stdout


def test_the_set_up_pages_say_the_same() -> None:
    address = "https://YOUR-UPTIER-HOST/hooks/acme"
    assert steps(address) in (DOCS / "freshdesk.md").read_text(encoding="utf-8")
    from adapters.servicenow import hooks as rule
    from adapters.servicenow.profile import profile
    from tests.adapters.servicenow.world import account as of

    text = rule.set_up(profile(of()), rule.BOT, address, {"secret": "secret:acme-webhook"})
    assert text in (DOCS / "servicenow.md").read_text(encoding="utf-8")


def test_an_adapter_that_can_do_neither_is_refused_clearly() -> None:
    class Bare:
        name = "bare"

    one: Any = Bare()
    assert connecting.hooks_of(one) is None
    with pytest.raises(connecting.CannotConnect, match="bare can set no webhook up"):
        connecting.set_up_of(one, "https://uptier.test/hooks/acme", {})


# --- waiting ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with fresh_store(request.param, tmp_path) as one:
        yield one


class Passing(ManualClock):
    """Time that passes while somebody sleeps; `acts` happen then."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.acts: dict[int, Any] = {}

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        if act := self.acts.pop(self.now(), None):
            act()


def news(store: Store, at: int) -> None:
    with store.writing() as connection:
        row = Arrival(account="acme", ticket="1", delivery=f"webhook:{at}", kind="webhook", received_at=at)
        inbox.put_news(connection, [row])


def test_a_webhook_is_waited_for_and_its_coming_is_said(store: Store) -> None:
    clock, left = Passing(START), list[int]()
    news(store, START - 100)
    clock.acts[START + 25] = lambda: news(store, clock.now())
    well, text = connecting.await_webhook(store, "acme", clock, 60, left.append)
    assert (well, clock.now()) == (True, START + 25)
    assert left == [60, 50, 40]
    assert text == "a webhook came and was taken just now"
    assert connecting.last_taken(store, "acme", START + 28) == "a webhook came and was taken, 3s ago"
    assert connecting.last_taken(store, "other", START) is None


def test_nothing_that_comes_in_time_is_said_and_so_is_a_refusal(store: Store) -> None:
    clock = Passing(START)
    news(store, START - 60)
    well, text = connecting.await_webhook(store, "acme", clock, 30, lambda _: None)
    assert not well
    assert "the last one was taken 1m30s ago" in text
    assert "restart that" in text
    assert clock.now() == START + 30

    def refuse() -> None:
        with store.writing() as connection:
            holds.set_aside(connection, "acme", "", KIND, "the signature does not match", clock.now())

    clock.acts[START + 40] = refuse
    well, text = connecting.await_webhook(store, "acme", clock, 30, lambda _: None)
    assert not well
    assert "the signature does not match" in text


def test_what_is_kept_of_a_webhook(store: Store) -> None:
    with store.writing() as connection:
        hooks.intend(connection, "acme", "Uptier acme 1", "https://a.test", START)
        hooks.intend(connection, "other", "Uptier other 1", "https://b.test", START)
    with store.writing() as connection:
        hooks.made(connection, "acme", "Uptier acme 1", "01H")
    with store.reading() as connection:
        assert [(one.name, one.vendor_id) for one in hooks.every(connection, "acme")] == [
            ("Uptier acme 1", "01H")
        ]
    with store.writing() as connection:
        hooks.forget(connection, "acme", "Uptier acme 1")
    with store.reading() as connection:
        assert hooks.every(connection, "acme") == ()
        assert len(hooks.every(connection, "other")) == 1


def test_two_of_one_name_are_both_ours(store: Store) -> None:
    """A lost answer that was carried out late, after the next call had made another."""

    class Twice:
        posts = "events"

        def listed(self) -> tuple[Hook, ...]:
            return tuple(Hook(id=key, name="Uptier acme 1", address="https://a.test") for key in ("1", "2"))

    with store.writing() as connection:
        hooks.intend(connection, "acme", "Uptier acme 1", "https://a.test", START)
    there: Any = Twice()
    todo = connecting.plan(store, there, "acme", "https://a.test", lambda call, *_: call())
    assert todo.ours
    assert todo.stands is not None
    assert [hook.id for hook in todo.removes] == [{"1": "2", "2": "1"}[todo.stands.id]]


def test_a_helpdesk_error_is_no_traceback(desk: Zendesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise HelpdeskError("it is Sunday")

    monkeypatch.setattr("adapters.zendesk.hooks.ZendeskHooks.listed", fails)
    done = uptier("connect", "acme", "--yes")
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit)
    assert "it is Sunday" in done.output
