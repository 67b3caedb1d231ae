"""The commands as a user types them: what they print, and their exit codes."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError
from typer.testing import CliRunner, Result

from adapters.simulation.faults import Fault
from adapters.simulation.server import serve
from adapters.zendesk.simulator import create
from adapters.zendesk.simulator.state import Zendesk
from connector.cli.main import app
from connector.clock import SystemClock
from connector.intake.receiver import Refusals
from connector.render import is_unprintable
from tests.connector.beside import CONFIG, LADDER, SECRETS, composed, furnish
from tests.connector.stores import fresh_store
from tests.connector.test_reload import NESTED, rewritten
from tests.crash.soak import free_port
from tests.patience import until

DEEP = LADDER.replace('status = ["new", "open"]', f"status = {'[' * 30000}{']' * 30000}")
DAYS = ("--from", "2026-01-01", "--to", "2036-01-01")
HTTP_TIMEOUT = 20.0
"""Seconds that the adapter waits for an answer."""


class InMemory(KeyringBackend):
    """A keyring for tests."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def memory() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    yield keyring.get_keyring()  # type: ignore[misc]
    keyring.set_keyring(before)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zendesk]:
    """A simulated account with one ticket that has waited for an hour, and `uptier.toml` for it."""
    sim = create(time.time)
    desk: Zendesk = sim.state.zendesk
    furnish(desk, 0)
    desk.open(requester="Cleo", subject="Printer", group="Tier 1", at=int(time.time()) - 3600)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with serve(sim) as url:
        (tmp_path / "uptier.toml").write_text(CONFIG.format(url=url, service="") + LADDER, encoding="utf-8")
        yield desk


def uptier(*words: str, said: str | None = None) -> Result:
    root = logging.getLogger()
    handlers = root.handlers[:]
    result = CliRunner().invoke(app, list(words), input=said)
    root.handlers[:] = handlers  # the runner has closed what the command logged to
    return result


def running(folder: Path) -> subprocess.Popen[str]:
    """`uptier run` in a process of its own, once it listens."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("uptier"), "run"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")} | SECRETS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("listening on http://127.0.0.1:" in line for line in process.stderr)
    return process


def test_check_says_that_all_is_well(desk: Zendesk) -> None:
    unread = uptier("check")
    assert unread.exit_code == 0
    assert "warning no-directory: " in unread.stdout
    uptier("run", "--once")
    result = uptier("check")
    assert (result.exit_code, result.stdout) == (0, "uptier.toml: 1 policy, no errors\n")


@pytest.mark.parametrize("place", ["variable", "file"])
def test_a_webhook_secret_that_could_be_guessed_is_refused(
    desk: Zendesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    monkeypatch.setenv("UPTIER_SECRET_ACME_WEBHOOK", "fifteen-letters")
    if place == "file":
        monkeypatch.delenv("UPTIER_SECRET_ACME_WEBHOOK")
        monkeypatch.setenv("UPTIER_SECRET_ACME_WEBHOOK_FILE", str(tmp_path / "secret"))
        (tmp_path / "secret").write_text("fifteen-letters\n")
    result = uptier("check")
    assert result.exit_code == 2
    line = next(
        i
        for i, text in enumerate((tmp_path / "uptier.toml").read_text().splitlines(), 1)
        if "webhook =" in text
    )
    assert f"uptier.toml:{line}" in result.stdout
    assert "short-secret" in result.stdout
    assert "fifteen" not in result.output
    for command in (["run", "--once"], ["run"]):
        started = uptier(*command)
        assert (started.exit_code, "16 characters or more" in started.stderr) == (2, True)
    monkeypatch.setenv("UPTIER_SECRET_ACME_WEBHOOK", "sixteen-letters!")
    assert uptier("check").exit_code == 0


def test_doctor_holds_names_against_the_directory(desk: Zendesk, tmp_path: Path) -> None:
    file = tmp_path / "uptier.toml"
    file.write_text(file.read_text().replace('{ group = "Duty" }', '{ group = "Dutty" }'), encoding="utf-8")
    result = uptier("doctor")
    assert result.exit_code == 1
    assert 'NOT acme: names: policy "waits", level "two": acme has no group "Dutty"' in result.stdout


def test_a_name_that_the_helpdesk_lacks_keeps_nothing_from_running(desk: Zendesk, tmp_path: Path) -> None:
    file = tmp_path / "uptier.toml"
    file.write_text(file.read_text().replace('{ group = "Duty" }', '{ group = "Dutty" }'), encoding="utf-8")
    for _ in range(2):
        result = uptier("run", "--once")
        assert result.exit_code == 1
        assert 'acme: set aside: acme has no group "Dutty"' in result.stdout
    assert len([row for row in desk.log if row.method == "PUT"]) == 1
    assert uptier("check").exit_code == 2


def test_doctor_asks_the_helpdesk(desk: Zendesk) -> None:
    desk.hooks.subscribe("https://uptier.test/hooks/acme", secret="x")
    result = uptier("doctor")
    assert result.exit_code == 0
    assert "ok  acme: " in result.stdout


def test_doctor_tells_what_a_running_service_has_set_aside(desk: Zendesk, tmp_path: Path) -> None:
    desk.hooks.subscribe("https://uptier.test/hooks/acme", secret="x")
    with fresh_store("sqlite", tmp_path) as store:
        refusals = Refusals()
        refusals.note("acme", "the delivery carries no stamp", 1000)
        refusals.keep(store, 1000)
    result = uptier("doctor")
    assert result.exit_code == 0
    said = "tip acme: webhooks: 1 webhook was refused, the last because the delivery carries no stamp"
    assert said in result.stdout


def test_doctor_needs_a_human_where_credentials_are_wrong(
    desk: Zendesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTIER_SECRET_ACME_TOKEN", "wrong")
    assert uptier("doctor").exit_code == 1


def test_a_wrong_file_is_2_with_file_and_line(desk: Zendesk, tmp_path: Path) -> None:
    path = tmp_path / "uptier.toml"
    path.write_text(path.read_text().replace('after = "30m"', 'after = "soon"'), encoding="utf-8")
    result = uptier("check")
    assert result.exit_code == 2
    assert "uptier.toml:" in result.stdout
    assert "soon" in result.stdout
    assert uptier("run", "--once").exit_code == 2
    assert desk.log == []


def test_no_file_is_2() -> None:
    result = uptier("check", "--config", "nowhere.toml")
    assert result.exit_code == 2
    assert "nowhere.toml" in result.stdout


def test_a_round_then_why_and_what_happened(desk: Zendesk) -> None:
    result = uptier("run", "--once")
    assert result.exit_code == 0, result.stderr
    assert "1 fired" in result.stdout
    assert "1 written" in result.stdout
    explained = uptier("explain", "acme/1")
    assert "acme/1: Printer" in explained.stdout
    assert "Owner: Tier 2." in explained.stdout
    happened = uptier("history", "acme/1", "--format", "json")
    assert [line["what"] for line in json.loads(happened.stdout)][-1] == "written"


def test_a_ticket_becomes_a_test_that_passes_beside_the_policies(desk: Zendesk, tmp_path: Path) -> None:
    assert uptier("test", "--record", "acme/1").exit_code == 2, "no database yet"
    uptier("run", "--once")
    assert uptier("test", "--record", "acme/99").exit_code == 1
    assert uptier("test", "--record", "acme").exit_code == 2
    assert uptier("test", "--record", "other/1").exit_code == 2
    made = uptier("test", "--record", "acme/1", "--output", "uptier.test.toml")
    assert made.exit_code == 0, made.output
    text = (tmp_path / "uptier.test.toml").read_text(encoding="utf-8")
    assert 'name     = "acme/1: fires one to Tier 2' in text
    assert "recorded on" not in text
    assert "Printer" not in text
    done = uptier("test")
    assert (done.exit_code, done.stdout) == (0, "1 test, all as expected\n")


def test_what_a_ticket_says_tells_the_terminal_nothing(desk: Zendesk, tmp_path: Path) -> None:
    evil = "Help\x1b]0;owned\x07\u202e\x9b2J\nacme/1  forged\u2028line"
    desk.open(requester="Cleo", subject=evil, group="Tier 1", at=int(time.time()) - 60)
    config = tmp_path / "uptier.toml"
    config.write_text(
        config.read_text().replace("[policy.unless]", '[policy.unless]\nsubject = "none such"', 1)
    )
    uptier("run", "--once")
    uptier("release", "--reason", evil)
    uptier("snooze", "acme/2", "--for", "2h", "--reason", evil)
    uptier("run", "--once")
    for command in (
        ("explain", "acme/2"),
        ("history", "acme/2"),
        ("gaps",),
        ("explain", "acme/2", "--at", "now"),
        ("explain", "acme/2", "--format", "json"),
        ("history", "acme/2", "--format", "json"),
        ("ledger", "export"),
        ("gaps", "--format", "json"),
        *(("report", *DAYS, "--format", each) for each in ("table", "json", "csv", "md", "html")),
        *(("matrix", "--format", each) for each in ("table", "json", "csv", "md", "html", "svg")),
        ("cards",),
    ):
        said = uptier(*command)
        assert not [each for each in said.output.replace("\n", "") if is_unprintable(each)], command
        assert not any(line.startswith("acme/1") for line in said.output.splitlines()), command
    assert "forged" in uptier("explain", "acme/2").stdout.splitlines()[0]


BROKEN = ("policies.d/more.toml", '[[policy]]\nname = "worse"\nclock = "no such clock"\n')
NO_TOML = ("policies.d/more.toml", "[[policy\n")
LOOK_BACK = (
    ("history", "acme/1"),
    ("history", "acme/1", "--format", "json"),
    ("ledger", "export"),
    ("gaps",),
    ("gaps", "--format", "json"),
    ("explain", "acme/1"),
    ("explain", "acme/1", "--format", "json"),
    ("report", *DAYS),
    ("report", *DAYS, "--format", "html"),
    ("release",),
    ("user", "list"),
    ("user", "tokens"),
)


@pytest.mark.parametrize("added", [BROKEN, NO_TOML], ids=["a policy", "a whole file"])
def test_who_looks_back_needs_no_policies_without_errors(
    desk: Zendesk, tmp_path: Path, added: tuple[str, str]
) -> None:
    uptier("run", "--once")
    before = {command: uptier(*command).stdout for command in LOOK_BACK}
    (tmp_path / "policies.d").mkdir()
    (tmp_path / added[0]).write_text(added[1])
    assert uptier("check").exit_code == 2
    for command in LOOK_BACK:
        said = uptier(*command)
        assert said.exit_code == 0, (command, said.output)
        if command[0] not in ("gaps", "report"):
            assert said.stdout == before[command]
            assert said.stderr == ""
    for command in (("matrix",), ("cards",), ("explain", "acme/1", "--at", "now")):
        said = uptier(*command)
        assert said.exit_code == 2
        assert said.stdout == ""
        assert said.stderr.splitlines()[-1] == "uptier: uptier.toml has errors; `uptier check` lists them"


def test_a_report_without_days_is_of_the_last_thirty_and_says_so(desk: Zendesk, tmp_path: Path) -> None:
    uptier("run", "--once")
    of_days = uptier("report", "--to", "2026-03-31", "-o", "march.txt")
    said = "of 2026-03-02 to 2026-03-31 (UTC); --from and --to name other days\nwritten to march.txt\n"
    assert (of_days.exit_code, of_days.stderr) == (0, said)
    assert "2026-03-02 to 2026-03-31" in (tmp_path / "march.txt").read_text()
    lately = uptier("report")
    assert (lately.exit_code, lately.stderr.startswith("of ")) == (0, True)
    assert "\nEscalations            1  " in lately.stdout
    for command in (("test", "--record", "acme/1"), ("matrix",), ("cards",)):
        assert uptier(*command, "-o", "kept").exit_code == 0


def test_a_report_says_what_it_leaves_out_and_keeps_the_rest(desk: Zendesk, tmp_path: Path) -> None:
    calendar = '[calendars.office]\ntimezone = "Europe/Berlin"\nhours = { mon-fri = "09:00-17:00" }\n'
    (tmp_path / "policies.d").mkdir()
    (tmp_path / "policies.d" / "hours.toml").write_text(calendar)
    uptier("run", "--once")
    asked = ("report", *DAYS, "--calendar", "office")
    whole = uptier(*asked)
    assert (whole.exit_code, whole.stderr) == (0, "")
    (tmp_path / BROKEN[0]).write_text(BROKEN[1])
    said = uptier(*asked)
    note = 'The present policies have errors (`uptier check`). Left out of this report: policy "worse".'
    assert (said.exit_code, said.stderr) == (0, f"{note}\n")
    assert note in said.stdout
    for same in ("business times on calendar office", "\nEscalations            1  "):
        assert same in whole.stdout
        assert same in said.stdout
    (tmp_path / "policies.d" / "hours.toml").write_text(calendar.replace("Europe/Berlin", "Nowhere"))
    assert "all policies, calendars and tables of targets" in uptier("report", *DAYS).stderr
    assert "there is no calendar" in uptier(*asked).stderr


def test_a_round_as_json(desk: Zendesk) -> None:
    counts = json.loads(uptier("run", "--once", "--format", "json").stdout)["counts"]
    assert counts == {"fired": 1, "written": 1}


def test_a_round_that_needs_a_human_is_1(desk: Zendesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPTIER_SECRET_ACME_TOKEN", "wrong")
    result = uptier("run", "--once")
    assert result.exit_code == 1
    assert "needs a human" in result.stdout


def test_a_missing_secret_is_2_and_says_how_to_keep_it(
    desk: Zendesk, monkeypatch: pytest.MonkeyPatch, memory: InMemory
) -> None:
    monkeypatch.delenv("UPTIER_SECRET_ACME_TOKEN")
    result = uptier("run", "--once")
    assert result.exit_code == 2
    assert "uptier secret set acme-token" in result.stderr


def test_secrets_reach_the_keyring_when_no_variable_is_set(
    desk: Zendesk, monkeypatch: pytest.MonkeyPatch, memory: InMemory
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.delenv(name)
        secret = name.removeprefix("UPTIER_SECRET_").lower().replace("_", "-")
        assert uptier("secret", "set", secret, said=value).exit_code == 0
    assert set(memory.kept) == {("uptier", "acme-token"), ("uptier", "acme-webhook")}
    assert uptier("run", "--once").exit_code == 0


@pytest.mark.parametrize("command", ["explain", "history"])
def test_a_ticket_that_cannot_be_named_is_2(desk: Zendesk, command: str) -> None:
    assert uptier(command, "4711").exit_code == 2


def test_a_ticket_never_seen_says_so(desk: Zendesk) -> None:
    assert uptier("migrate").exit_code == 0
    for command in ("explain", "history", "undo"):
        unseen = uptier(command, "acme/99")
        assert (unseen.exit_code, unseen.stdout) == (2, "")
        assert "acme/99 has not been seen" in unseen.stderr
        assert "the id or number that `uptier due` shows" in unseen.stderr


def test_sigterm_ends_a_running_service_with_0(desk: Zendesk, tmp_path: Path) -> None:
    process = running(tmp_path)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said


def test_a_helpdesk_that_never_answers_does_not_keep_a_stopped_service_alive(
    desk: Zendesk, tmp_path: Path
) -> None:
    desk.faults.append(Fault(kind="hang", times=None, path="/api/*"))
    service = running(tmp_path)
    until(lambda: bool(desk.log))
    service.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, said = service.communicate(timeout=60)
    assert service.returncode == 0, said
    assert time.monotonic() - began < HTTP_TIMEOUT, "it did not wait for the answer"


def test_reload_takes_changed_policies_up_and_refuses_wrong_ones(desk: Zendesk, tmp_path: Path) -> None:
    service = running(tmp_path)
    until(lambda: "a made life" in uptier("policies").stdout)
    path = tmp_path / "uptier.toml"
    good = path.read_text()
    path.write_text(good.replace('after = "2h"', 'after = "3h"'), encoding="utf-8")
    result = uptier("reload")
    assert (result.exit_code, result.stdout[:8]) == (0, "process "), result.stderr
    assert 'policy "waits": accepted: 2:00 fires two to Duty; now: 3:00 fires two to Duty ' in result.stdout
    assert "`uptier test --accept` takes it for right" in result.stdout
    assert "a changed [service] or [accounts] needs a restart" in result.stdout
    path.write_text(good.replace('after = "2h"', 'after = "soon"'), encoding="utf-8")
    assert uptier("reload").exit_code == 2
    assert service.poll() is None
    service.send_signal(signal.SIGTERM)
    service.communicate(timeout=60)
    assert uptier("reload", "--config", str(path)).exit_code == 2
    path.write_text(good, encoding="utf-8")
    result = uptier("reload")
    assert result.exit_code == 2
    assert "no uptier runs" in result.stderr


def test_reload_ends_with_1_where_the_service_does_not_take_the_policies_up(
    desk: Zendesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.cli.main.TAKES_UP", 0.5)
    with running(tmp_path) as service:
        service.send_signal(signal.SIGSTOP)
        path = tmp_path / "uptier.toml"
        path.write_text(path.read_text().replace('after = "2h"', 'after = "3h"'), encoding="utf-8")
        result = uptier("reload")
        service.send_signal(signal.SIGCONT)
        service.terminate()
        service.communicate(timeout=60)
    assert result.exit_code == 1
    assert result.stderr == f"process {service.pid} did not take the policies up; see its log\n"


def test_a_hangup_with_a_file_that_nests_without_end_leaves_the_old_policies_running(
    desk: Zendesk, tmp_path: Path
) -> None:
    port = free_port()
    path = tmp_path / "uptier.toml"
    path.write_text(path.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"), encoding="utf-8")
    desk.hooks.subscribe(f"http://127.0.0.1:{port}/hooks/acme", SECRETS["UPTIER_SECRET_ACME_WEBHOOK"])
    with running(tmp_path) as service:
        assert service.stderr is not None
        until(lambda: len(puts(desk)) == 1)
        for nested in (*NESTED, DEEP):
            rewritten(tmp_path, nested)
            checked = uptier("check")
            assert checked.exit_code == 2
            assert "flatter" in checked.stdout
            assert "Traceback" not in checked.stdout + checked.stderr
            service.send_signal(signal.SIGHUP)
            (refused,) = islice((line for line in service.stderr if "reload_refused" in line), 1)
            assert "flatter" in refused
            assert "the old policies run on" in refused
        desk.open(requester="Cleo", subject="Scanner", group="Tier 1", at=int(time.time()) - 3600)
        until(lambda: desk.hooks.deliver() == [] and len(puts(desk)) == 2)
        service.terminate()
        service.communicate(timeout=60)
    assert service.returncode == 0


def puts(desk: Zendesk) -> list[int | None]:
    """The answers to our writes, in order."""
    return [row.status for row in desk.log if row.method == "PUT"]


def test_a_second_process_on_the_same_database_is_refused(desk: Zendesk) -> None:
    with composed(Path("uptier.toml"), SystemClock()):
        result = uptier("run", "--once")
    assert result.exit_code == 2
    assert "another Uptier (process" in result.stderr


def test_what_is_held_is_listed_and_released(desk: Zendesk, tmp_path: Path) -> None:
    text = (
        (tmp_path / "uptier.toml")
        .read_text()
        .replace("[accounts", "[service.caps]\nwrites_per_day = 1\n\n[accounts", 1)
    )
    (tmp_path / "uptier.toml").write_text(
        text.replace('after = "2h"', 'after = "45m"').replace('"30m"', '"40m"')
    )
    desk.open(requester="Cleo", subject="Later", group="Tier 1", at=int(time.time()) - 41 * 60)
    assert uptier("migrate").exit_code == 0
    assert uptier("release").stdout == "0 held\n"
    assert uptier("run", "--once").exit_code == 0
    (tmp_path / "uptier.toml").write_text(
        text.replace('after = "2h"', 'after = "41m"').replace('"30m"', '"40m"')
    )
    assert uptier("run", "--once").exit_code == 1
    listed = uptier("release").stdout
    assert "acme/2" in listed
    assert "cap of 1 writes" in listed
    assert uptier("release", "acme/99").exit_code == 2
    assert "1 released" in uptier("release", "acme/2", "--reason", "seen").stdout
    uptier("run", "--once")
    assert "released" in uptier("history", "acme/2").stdout
    assert sum(not comment["public"] for comment in desk.ticket(2).comments) == 2


def test_the_ledger_is_exported_line_by_line(desk: Zendesk) -> None:
    uptier("run", "--once")
    lines = [json.loads(line) for line in uptier("ledger", "export").stdout.splitlines()]
    assert [line["what"] for line in lines if line["ticket"] == "1"][:2] == ["started", "fired"]
    assert lines == sorted(lines, key=lambda line: int(line["id"]))
    assert uptier("ledger", "export", "--from", "+1h").stdout == ""
    assert len(uptier("ledger", "export", "--from", "-1h").stdout.splitlines()) == len(lines)
    assert uptier("ledger", "export", "--from", "soon").exit_code == 2


def test_purge_says_what_went(desk: Zendesk) -> None:
    uptier("run", "--once")
    gone = "0 news, 0 texts, 0 tickets, 0 lines, 0 old policies, 0 archives or their words"
    assert uptier("purge").stdout == f"forgotten: {gone}\n"


def test_orders_are_left_for_the_next_look(desk: Zendesk) -> None:
    uptier("run", "--once")
    assert "acknowledged with the next look" in uptier("ack", "acme/1").stdout
    assert "quiet until" in uptier("snooze", "acme/1", "--for", "2h", "--reason", "vendor").stdout
    assert "escalates with the next look" in uptier("escalate", "acme/1", "--reason", "outage").stdout
    uptier("run", "--once")
    whats = [line["what"] for line in json.loads(uptier("history", "acme/1", "--format", "json").stdout)]
    assert "acknowledged" in whats
    assert "de-escalated with the next look" in uptier("deescalate", "acme/1", "--reason", "oops").stdout


IMPOSSIBLE = {
    ("ack", "acme/9"): "acme/9: no such escalation runs",
    ("ack", "acme/1", "--policy", "other"): 'acme/1: no policy "other" serves this account',
    ("snooze", "acme/1", "--for", "soon", "--reason", "x"): '"soon" is not a duration',
    (
        "escalate",
        "acme/1",
        "--policy",
        "nope",
        "--reason",
        "x",
    ): 'acme/1: no policy "nope" serves this account',
    ("escalate", "acme/1", "--level", "nope", "--reason", "x"): "acme/1: no such level is ahead",
    ("approve", "acme/1"): "acme/1: no level waits for approval",
    ("reject", "acme/1", "--reason", "x"): "acme/1: no level waits for approval",
}


def test_an_order_that_cannot_be_is_2_and_leaves_nothing(desk: Zendesk) -> None:
    uptier("run", "--once")
    before = uptier("history", "acme/1").stdout
    for words, says in IMPOSSIBLE.items():
        result = uptier(*words)
        assert result.exit_code == 2
        assert says in result.stderr
    uptier("run", "--once")
    assert uptier("history", "acme/1").stdout == before
