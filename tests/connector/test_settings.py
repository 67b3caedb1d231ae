"""The config file is refused as a whole with every fault at its line, and frozen once it is accepted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from connector.config.settings import Loaded, load
from policies.language.document import Problem
from policies.model import Status

ACCOUNT = """
[accounts.acme]
adapter = "zendesk"
url = "https://acme.example/"
auth = { kind = "bearer", token = "secret:acme-token" }
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config file and gives its path."""

    def to_file(text: str, name: str = "uptier.toml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def found(loaded: Loaded) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in loaded.problems]


def only(loaded: Loaded) -> Problem:
    (problem,) = loaded.problems
    return problem


def test_the_smallest_config_has_safe_defaults(write: Write, tmp_path: Path) -> None:
    loaded = load(write(ACCOUNT))
    assert loaded.problems == ()
    assert loaded.settings is not None
    assert loaded.policies is not None
    service, account = loaded.settings.service, loaded.settings.accounts["acme"]
    assert service.mode == "observe"
    assert service.database == f"sqlite:///{tmp_path / 'uptier.db'}"
    assert service.address == ("127.0.0.1", 8080)
    assert (service.caps.escalations_per_hour, service.caps.writes_per_day) == (500, 20)
    assert (account.poll, account.budget, account.webhook, account.mode) == (60, 0.5, {}, None)
    assert (account.url, account.vip) == ("https://acme.example", {"vip"})


def test_everything_that_can_be_said_is_read(write: Write, tmp_path: Path) -> None:
    text = f"""
[service]
database = "sqlite:///{tmp_path}/other.db"
listen = "[::1]:9000"
mode = "enforce"
default_owner = "Escalations"
policies = ["*.toml"]
[service.caps]
escalations_per_hour = 5
writes_per_day = 2
[accounts.acme-it]
adapter = "zendesk"
url = "http://127.0.0.1:8099"
auth = {{ kind = "token", user = "bot@acme.test", token = "secret:t" }}
webhook = {{ secret = "secret:w" }}
poll = "1m30s"
budget = 1
mode = "observe"
fields = {{ product = 360001, key = "x" }}
statuses = {{ "On hold" = "on_hold", 9 = "closed", door_key = "pending" }}
assignment_acknowledges = false
vip = ["gold"]
vip_organizations = ["Initech"]
vip_addresses = ["@hooli.test"]
"""
    loaded = load(write(text))
    assert loaded.problems == ()
    assert loaded.settings is not None
    service, account = loaded.settings.service, loaded.settings.accounts["acme-it"]
    assert (service.address, service.mode, service.caps.writes_per_day) == (("::1", 9000), "enforce", 2)
    assert service.database == f"sqlite:///{tmp_path}/other.db"
    assert (account.poll, account.budget, account.mode) == (90, 1.0, "observe")
    assert dict(account.fields) == {"product": "360001", "key": "x"}
    assert not account.assignment_acknowledges
    made = loaded.settings.account("acme-it", {"secret:t": "value"}.__getitem__)
    assert made.auth == {"kind": "token", "user": "bot@acme.test", "token": "secret:t"}
    assert made.secret(made.auth["token"]) == "value"
    assert (made.name, made.webhook, made.vip) == ("acme-it", {"secret": "secret:w"}, {"gold"})
    assert made.statuses == {"On hold": Status.ON_HOLD, "9": Status.CLOSED, "door_key": Status.PENDING}
    assert (made.vip_organizations, made.vip_addresses) == ({"Initech"}, {"@hooli.test"})


def test_settings_are_frozen(write: Write) -> None:
    settings = load(write(ACCOUNT)).settings
    assert settings is not None
    with pytest.raises(ValidationError):
        settings.service.mode = "enforce"  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.accounts["other"] = settings.accounts["acme"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ('adaptr = "x"', "unknown-key", 'Did you mean "adapter"?'),
        ("timeout = 5", "unknown-key", "Known here"),
        ('poll = "5s"', "out-of-range", "10s or more"),
        ('poll = "soon"', "bad-duration", "not a duration"),
        ("poll = 60", "wrong-type", '"60s"'),
        ("budget = 0", "out-of-range", "more than 0"),
        ("budget = 1.5", "out-of-range", "at most 1"),
        ('budget = "half"', "wrong-type", "number"),
        ("budget = true", "wrong-type", "number"),
        ('vip = "vip"', "wrong-type", "list"),
        ('vip_addresses = ["initech.test"]', "bad-address", "@initech.example"),
        ('vip_addresses = ["@"]', "bad-address", "no address"),
        ('statuses = { 9 = "on hold" }', "unknown-value", 'Did you mean "on_hold"?'),
        ('statuses = { "" = "open" }', "bad-name", "empty label"),
        ('statuses = { Parked = "open", parked = "closed" }', "bad-name", "the same"),
        ('statuses = ["open"]', "wrong-type", "table"),
        ("assignment_acknowledges = 0", "wrong-type", "true or false"),
        ("webhook = {}", "missing", "secret:acme-webhook"),
        ('webhook = "x"', "wrong-type", "table"),
        ('webhook = { secret = "secret:w", algorithm = "x" }', "unknown-key", "algorithm"),
    ],
)
def test_a_fault_of_an_account_is_told_with_its_line(write: Write, line: str, code: str, says: str) -> None:
    loaded = load(write(f"{ACCOUNT}{line}\n"))
    assert loaded.settings is None
    assert (only(loaded).line, only(loaded).code) == (6, code)
    assert only(loaded).message.startswith('account "acme": ')
    assert says in only(loaded).message


@pytest.mark.parametrize(
    ("auth", "code", "says"),
    [
        ("{}", "missing", "`kind` is missing"),
        ('{ kind = "oauth", client_id = "uptier" }', "missing", "client_secret"),
        ('{ kind = "bearr", token = "secret:t" }', "unknown-value", 'Did you mean "bearer"?'),
        ('{ kind = "bearer" }', "missing", "`token` is missing"),
        ('{ kind = "token", token = "secret:t" }', "missing", "`user` is missing"),
        ('{ kind = "bearer", token = "secret:t", usr = "x" }', "unknown-key", "Known here: kind or token"),
        ('"secret:t"', "wrong-type", "table"),
    ],
)
def test_a_fault_in_auth_is_told(write: Write, auth: str, code: str, says: str) -> None:
    text = f'[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.example"\nauth = {auth}\n'
    loaded = load(write(text))
    assert (only(loaded).line, only(loaded).code) == (4, code)
    assert says in only(loaded).message


@pytest.mark.parametrize(
    "line",
    [
        'auth = { kind = "bearer", token = "hunter2-hunter2" }',
        'auth = { kind = "bearer", token = "secret:t", api_key = "hunter2-hunter2" }',
        'auth = "hunter2-hunter2"',
        'auth = { kind = "bearer", token = "secret:hunter2 hunter2" }',
        'auth = { kind = "hunter2-hunter2" }',
        'auth = { kind = "bearer", token = "secret:t" }\nwebhook = { secret = "hunter2-hunter2" }',
        'auth = { kind = "bearer", token = "secret:t" }\npassword = ["x", "hunter2-hunter2"]',
        'auth = { kind = "bearer", token = "secret:t" }\nwebhook = "hunter2-hunter2"',
    ],
)
def test_a_secret_written_out_is_refused_and_not_repeated(write: Write, line: str) -> None:
    text = f'[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.example"\n{line}\n'
    loaded = load(write(text))
    assert loaded.settings is None
    assert "hunter2" not in "".join(str(problem) for problem in loaded.problems)
    assert "hunter2" not in repr(loaded.settings)


def test_a_plain_secret_is_told_what_to_do(write: Write) -> None:
    loaded = load(write(ACCOUNT.replace("secret:acme-token", "plain")))
    assert (only(loaded).line, only(loaded).code) == (5, "plain-secret")
    assert "uptier secret set NAME" in only(loaded).message


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://acme.example", "bad-url"),
        ("acme.example", "bad-url"),
        ("ftp://acme.example", "bad-url"),
        ("https://", "bad-url"),
        ("https://[acme", "bad-url"),
        ("https://acme.example:port", "bad-url"),
        ("https://acme.example/?key=1", "bad-url"),
        ("https://bot:hunter2@acme.example", "plain-secret"),
        ("http://127.0.0.1.acme.example", "bad-url"),
    ],
)
def test_an_address_that_is_not_safe_is_refused(write: Write, url: str, code: str) -> None:
    loaded = load(write(ACCOUNT.replace("https://acme.example/", url)))
    assert (only(loaded).line, only(loaded).code) == (4, code)
    assert "hunter2" not in only(loaded).message


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"])
def test_plain_http_is_for_this_machine_only(write: Write, url: str) -> None:
    assert load(write(ACCOUNT.replace("https://acme.example/", url))).problems == ()


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ('mode = "enforec"', "unknown-value", 'Did you mean "enforce"?'),
        ('listen = "8080"', "bad-address", "HOST:PORT"),
        ('listen = "localhost:http"', "bad-address", "HOST:PORT"),
        ('database = "postgresql://up:tier@db/uptier"', "plain-secret", "database_password"),
        ('database = "postgresql:///uptier?password=x"', "plain-secret", "database_password"),
        ('database = "postgresql://db"', "bad-database", "names no database"),
        ('database = "postgres://db/uptier"', "bad-database", "names no database"),
        ('database = "postgresql://db:port/uptier"', "bad-database", "is no address"),
        ('database_password = "hush"', "plain-secret", "secret:"),
        ('database = "sqlite://"', "bad-database", "sqlite:///uptier.db"),
        ('database = "sqlite:///nowhere/uptier.db"', "no-directory", "create it first"),
        ('database = "sqlite:///uptier.toml/x.db"', "no-directory", "create it first"),
        ('databse = "x"', "unknown-key", 'Did you mean "database"?'),
        ("caps = { writes_per_day = 0 }", "out-of-range", "at least 1"),
        ("caps = { writes_per_day = true }", "wrong-type", "whole number"),
        ("caps = { writes_per_hour = 1 }", "unknown-key", "writes_per_day"),
        ('policies = "policies.d"', "wrong-type", "list"),
    ],
)
def test_a_fault_of_the_service_is_told_with_its_line(write: Write, line: str, code: str, says: str) -> None:
    problems = load(write(f"[service]\n{line}\n{ACCOUNT}")).problems
    assert (2, code) in {(problem.line, problem.code) for problem in problems}
    assert any(says in problem.message for problem in problems)
    assert len(problems) == 1


@pytest.mark.parametrize("text", ["", "[accounts]\n"])
def test_a_config_without_accounts_is_refused(write: Write, text: str) -> None:
    assert only(load(write(text))).code == "missing"


def test_an_account_name_must_fit_into_an_address(write: Write) -> None:
    loaded = load(write(ACCOUNT.replace("acme]", '"acme/it"]')))
    assert "bad-name" in {problem.code for problem in loaded.problems}


def test_an_adapter_that_is_not_installed_is_told(write: Write) -> None:
    loaded = load(write(ACCOUNT.replace("zendesk", "zendsk")))
    assert (only(loaded).line, only(loaded).code) == (3, "unknown-value")
    assert 'Did you mean "zendesk"?' in only(loaded).message


def test_policy_files_are_read_in_name_order_after_the_main_file(write: Write) -> None:
    main = write(ACCOUNT)
    write("", "policies.d/b.toml")
    write("", "policies.d/a.toml")
    write("", "policies.d/c.txt")
    names = [Path(document.name).name for document in load(main).documents]
    assert names == ["uptier.toml", "a.toml", "b.toml"]


def test_a_file_named_twice_is_read_once_and_the_main_file_is_no_policy_file(write: Write) -> None:
    main = write('[service]\npolicies = ["*.toml", "one.toml"]\n' + ACCOUNT)
    write("", "one.toml")
    assert len(load(main).documents) == 2


@pytest.mark.parametrize(("pattern", "severity"), [("gone/*.toml", "warning"), ("gone.toml", "error")])
def test_a_pattern_that_finds_nothing_is_said(write: Write, pattern: str, severity: str) -> None:
    loaded = load(write(f'[service]\npolicies = ["{pattern}"]\n{ACCOUNT}'))
    assert (only(loaded).line, only(loaded).code, only(loaded).severity) == (2, "no-file", severity)
    assert (loaded.policies is None) is (severity == "error")


def test_an_absolute_pattern_works(write: Write, tmp_path: Path) -> None:
    write("", "elsewhere/x.toml")
    loaded = load(write(f'[service]\npolicies = ["{tmp_path}/elsewhere/*.toml"]\n{ACCOUNT}'))
    assert len(loaded.documents) == 2


def test_a_missing_or_broken_file_is_a_problem_and_no_crash(write: Write, tmp_path: Path) -> None:
    assert only(load(tmp_path / "none.toml")).code == "unreadable"
    assert only(load(write("a = \n", "broken.toml"))).line == 1
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    assert "UTF-8" in only(load(tmp_path / "latin.toml")).message
    main = write(ACCOUNT)
    write("[[policy]\n", "policies.d/broken.toml")
    loaded = load(main)
    assert loaded.settings is not None
    assert loaded.policies is None
    assert only(loaded).file.endswith("broken.toml")


def test_faults_of_all_files_come_at_once_sorted_by_place(write: Write) -> None:
    main = write(ACCOUNT + 'poll = "1s"\nbudget = 2\n')
    write('[templates.x]\nen = "{{ onwer }}"\n', "policies.d/a.toml")
    write(
        '[calendars.s]\ntimezone = "UTC"\nhours = { mon = "09:00-17:00" }\nholidays = ["XX"]\n',
        "policies.d/b.toml",
    )
    loaded = load(main)
    assert (loaded.settings, loaded.policies) == (None, None)
    assert [(Path(p.file).name, p.line, p.code) for p in loaded.problems] == [
        ("a.toml", 2, "bad-template"),
        ("b.toml", 4, "unknown-region"),
        ("uptier.toml", 6, "out-of-range"),
        ("uptier.toml", 7, "out-of-range"),
    ]
