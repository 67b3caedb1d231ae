"""`uptier test`: what docs/policy-tests.md shows, the tests that are shipped, and what is wrong about a test."""

import json
import re
from pathlib import Path

import pytest

from connector.config.files import find_tests, names, pack_tests, read_files
from policies.policy_tests import play, read_tests, reported
from policies.written_life import LINES, OPENING
from tests.connector.packs import document, packs
from tests.connector.test_cli import uptier
from tests.policies.lives import calendars

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policy-tests.md").read_text(encoding="utf-8")
POLICY, TEST = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
FAILURE = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
CONFIG = """
[service]
default_owner = "Duty managers"
[accounts.acme]
adapter = "zendesk"
url = "https://acme.example"
auth = { kind = "bearer", token = "secret:acme-token" }
[accounts.other]
adapter = "zendesk"
url = "https://other.example"
auth = { kind = "bearer", token = "secret:other-token" }
[groups."Tier 1"]
lead = "dana@acme.test"
[templates.handoff]
en = "{{ level.name }}"
[calendars.support]
timezone = "America/New_York"
hours = { mon-fri = "09:00-17:00" }
"""
OTHER = POLICY.replace('"unanswered"', '"second"')


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's policy and its test."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "policies.d"
    folder.mkdir()
    (tmp_path / "uptier.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "unanswered.toml").write_text(POLICY, encoding="utf-8")
    (folder / "unanswered.test.toml").write_text(TEST, encoding="utf-8")
    return folder


def test_the_test_of_the_page_passes_and_touches_nothing(house: Path) -> None:
    for line in ("test", "test policies.d/unanswered.test.toml"):
        done = uptier(*line.split())
        assert (done.exit_code, done.output) == (0, "2 tests, all as expected\n")
    assert {file.name for file in house.parent.rglob("*") if file.is_file()} == {
        "uptier.toml",
        "unanswered.toml",
        "unanswered.test.toml",
    }


def test_a_failure_shows_what_the_page_shows(house: Path) -> None:
    (house / "unanswered.toml").write_text(POLICY.replace("30m", "45m"), encoding="utf-8")
    done = uptier("test")
    assert FAILURE is not None
    assert (done.exit_code, done.output) == (1, FAILURE[1])


def test_a_failure_is_json_for_a_program(house: Path) -> None:
    (house / "unanswered.toml").write_text(POLICY.replace("30m", "45m"), encoding="utf-8")
    done = uptier("test", "--format", "json")
    assert done.exit_code == 1
    failed, passed = json.loads(done.output)["tests"]
    assert (failed["passed"], passed["passed"]) == (False, True)
    assert [each["line"] for each in failed["differences"]] == [11, None]
    assert failed["expected"][0]["level"] == failed["found"][0]["level"] == "Team lead"
    assert failed["found"][0]["at"] - failed["expected"][0]["at"] == (16 * 60 + 15) * 60
    assert 'waits for level "Team lead"' in failed["explained"]


def wrong(house: Path, text: str) -> str:
    (house / "unanswered.test.toml").write_text(text, encoding="utf-8")
    done = uptier("test")
    assert done.exit_code == 2
    assert "nothing was played" in done.output
    return done.output


def life(*lines: str, more: str = "") -> str:
    told = "\n".join(lines)
    return f'[[test]]\nname = "x"\npolicy = "unanswered"\n{more}\nlife = """\n{told}\n"""\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            life("0:00 custmer writes"),
            ':6: error bad-line: test "x": nobody knows what "custmer writes" means',
        ),
        (life("0:00 custmer writes"), 'Did you mean "customer writes"?'),
        (life("0:30 fire Duty"), 'Did you mean "fires Duty"?'),
        (life("0:00 the roof is on fire, everybody out"), 'A line says for example "customer writes",'),
        (life("customer writes"), '"customer writes" does not begin with a time; write for example "0:30'),
        (life("0:30 fires Team leed"), 'has a level "Team leed". Did you mean "Team lead"?'),
        (life("0:30 fires Nobody at all"), "There are: Team lead and Duty."),
        (
            life("1:00 fires Duty", "0:30 fires Team lead"),
            ':7: error bad-line: test "x": "0:30 fires Team lead" stands',
        ),
        (life("2026-02-30 10:00 fires Duty"), 'there is no time "2026-02-30 10:00"'),
        (life("0:00 customer writes"), "nothing is expected; write for example"),
        (life("0:10 status opn", "0:30 nothing fires"), 'there is no status "opn". Did you mean "open"?'),
        (life("0:10 target resolution paused", "0:30 nothing fires"), "target resolution was never set"),
        (life("0:10 lee orders snooze", "0:30 nothing fires"), "a snooze, and nothing else, has an end"),
        (
            life("0:10 lee orders ack until 3:00", "0:30 nothing fires"),
            "a snooze, and nothing else, has an end",
        ),
        (life("0:10 nothing fires", more="ticket = { statsu = 'open' }"), 'Did you mean "status"?'),
        (life("0:10 nothing fires", more="ticket = { status = 'opn' }"), 'Did you mean "open"?'),
        (life("0:10 nothing fires", more="ticket = { requester.vip = 'yes' }"), "write true or false"),
        (life("0:10 nothing fires", more="ticket = { tags = 'vip' }"), "write a list"),
        (life("0:10 nothing fires", more="strat = '2026-03-02'"), 'Did you mean "start"?'),
        (life("0:10 nothing fires", more="start = 'soon'"), '`start`: there is no time "soon"'),
        (life("0:10 nothing fires", more="timezone = 'Moon'"), 'there is no time zone "Moon"'),
        (life("0:10 nothing fires", more="account = 'acne'"), 'Did you mean "acme"?'),
        (life("0:10 nothing fires").replace('"unanswered"', '"unansered"'), 'Did you mean "unanswered"?'),
        ('[[test]]\nname = "x"\n', "`life` is missing"),
        ('[[test]]\nlife = "0:00 nothing fires"\n', "`name` is missing"),
        ("[ticket]\n", "`test` is missing"),
        ("[[test]\n", "error syntax"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_what_to_write(house: Path, text: str, says: str) -> None:
    assert says in wrong(house, text)


def test_without_any_test_it_says_where_to_begin(house: Path) -> None:
    (house / "unanswered.test.toml").unlink()
    done = uptier("test")
    assert done.exit_code == 2
    assert "docs/policy-tests.md" in done.output
    assert uptier("test", "policies.d/none.test.toml").exit_code == 2


def test_a_level_that_two_policies_have_needs_its_policy(house: Path) -> None:
    (house / "second.toml").write_text(OTHER, encoding="utf-8")
    both = life("0:00 customer writes", "9:30 fires Team lead").replace('policy = "unanswered"\n', "")
    both = both.replace("[[test]]", '[ticket]\npriority = "high"\n[[test]]')
    text = wrong(house, both)
    assert '"Team lead" is a level of unanswered and second' in text.replace(
        "second and unanswered", "unanswered and second"
    )
    said = both.replace("fires Team lead", "fires Team lead of unanswered\n9:30 fires Team lead of second")
    (house / "unanswered.test.toml").write_text(said, encoding="utf-8")
    done = uptier("test")
    assert (done.exit_code, done.output) == (0, "1 test, all as expected\n"), done.output


def test_policies_are_played_enforced_though_they_only_observe(house: Path) -> None:
    (house / "unanswered.toml").write_text(
        POLICY.replace("clock", 'mode = "observe"\nclock', 1), encoding="utf-8"
    )
    assert uptier("test").exit_code == 0


def test_check_names_the_policies_without_a_test_once_there_is_one(house: Path) -> None:
    (house / "second.toml").write_text(OTHER, encoding="utf-8")
    done = uptier("check")
    assert done.output.splitlines()[-1] == 'tip 1 without a test (`uptier test`): "second"'
    assert done.exit_code == 0
    assert json.loads(uptier("check", "--format", "json").output)["untested"] == ["second"]
    (house / "unanswered.test.toml").unlink()
    assert "without a test" not in uptier("check").output


def test_a_fault_in_a_test_keeps_nothing_from_running(house: Path) -> None:
    (house / "unanswered.test.toml").write_text(life("0:00 custmer writes"), encoding="utf-8")
    done = uptier("check")
    assert "policies.d/unanswered.test.toml:6: warning bad-line" in done.output
    assert done.exit_code == 0


def test_a_test_file_is_never_read_as_policies(house: Path) -> None:
    read = [each.name for each in read_files(Path("uptier.toml")).documents]
    assert read == ["uptier.toml", "policies.d/unanswered.toml"]
    (house.parent / "uptier.test.toml").write_text(TEST, encoding="utf-8")
    found = [
        str(each) if not hasattr(each, "name") else each.name for each in find_tests(Path("uptier.toml"))
    ]
    assert found == ["policies.d/unanswered.test.toml", "uptier.test.toml"]


def test_a_pack_in_use_is_tested_as_it_comes_only(house: Path) -> None:
    main = house.parent / "uptier.toml"
    main.write_text(CONFIG.replace("[service]", '[service]\nuse = ["vip"]'), encoding="utf-8")
    done = uptier("test")
    assert (done.exit_code, done.output) == (0, "5 tests, all as expected\n"), done.output
    assert "without a test" not in uptier("check").output
    fitted = main.read_text(encoding="utf-8") + '[use.vip]\nmode = "observe"\n'
    main.write_text(fitted, encoding="utf-8")
    assert uptier("test").output == "5 tests, all as expected\n"
    main.write_text(fitted + 'after = "20m"\n', encoding="utf-8")
    assert uptier("test").output == "2 tests, all as expected\n"


@pytest.mark.parametrize("name", names())
def test_a_pack_brings_tests_that_pass(name: str) -> None:
    policies = packs(name)
    tests, problems = read_tests(pack_tests(name), policies, ("acme", "other"))
    assert problems == ()
    results = [play(each, policies, calendars(policies)) for each in tests]
    assert [line for each in results if not each.passed for line in reported(each)] == []
    expected = {each.fires.policy for test in tests for each in test.expected}
    assert expected == {each.name for each in policies.policies}


def test_the_example_is_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("example.toml", "example.test.toml"):
        text = (ROOT / f"config.{name}").read_text(encoding="utf-8")
        Path(name.replace("example", "uptier")).write_text(text, encoding="utf-8")
    done = uptier("test")
    assert (done.exit_code, done.output) == (0, "5 tests, all as expected\n"), done.output
    assert "without a test" not in uptier("check").output


def test_every_kind_of_line_and_every_key_is_on_the_page() -> None:
    told = {
        line
        for cell in re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE)
        for line in re.findall(r"`(.+?)`", cell)
    }
    for kind in LINES:
        assert [line for line in told if kind.shape.fullmatch(line)], kind.example
        assert kind.shape.fullmatch(kind.example)


def test_all_that_a_test_can_say_of_its_ticket_is_taken() -> None:
    values = {"requester.vip": "true", "requester.recent_tickets": "3", "organization_recent_tickets": "4"}
    values |= {"tags": '["a"]', "requester.tags": '["b"]', "status": '"open"', "priority": '"low"'}
    lines = [f"{name} = {values.get(name, chr(34) + 'good' + chr(34))}" for name in OPENING]
    text = life("0:10 nothing fires", more="").replace(
        'policy = "unanswered"', "[test.ticket]\n" + "\n".join(lines) + "\ncustom.tier = 2"
    )
    head, _, tail = text.partition("[test.ticket]")
    table, _, told = tail.partition("life =")
    policies = packs("vip")
    tests, problems = read_tests(
        document("x.test.toml", f"{head}life ={told}[test.ticket]{table}"), policies, ("acme",)
    )
    assert problems == ()
    ticket = tests[0].life.ticket
    assert ticket.custom == {"tier": 2}
    assert (ticket.recent.of_requester, ticket.recent.of_organization) == (3, 4)
    assert ticket.requester is not None
    assert (ticket.requester.vip, ticket.requester.tags) == (True, {"b"})
    assert ticket.tags == {"a"}
