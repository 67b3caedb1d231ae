"""Every finding of `check`: one example with its line, and a near miss that passes."""

import pytest

from policies.language.document import Document, Problem, read
from policies.language.parse import parse
from policies.language.references import Known
from tests.policies.lives import HEAD, policy
from tests.policies.slips import BASE, HERE, KNOWN, ONE, SLIPS, Slip


def found(*texts: str, known: Known = KNOWN) -> list[Problem]:
    """What `check` finds in these files, the config first."""
    documents = [read(f"{index}.toml", text) for index, text in enumerate(texts)]
    assert all(isinstance(each, Document) for each in documents), documents
    return list(parse([each for each in documents if isinstance(each, Document)], known).problems)


def with_one(old: str, new: str) -> str:
    """The base with one thing changed, where it first stands."""
    assert old in BASE, old
    return BASE.replace(old, new, 1)


def marked(text: str) -> int:
    """The line marked `# here`."""
    (line,) = [number for number, each in enumerate(text.splitlines(), start=1) if each.endswith(HERE)]
    return line


def test_the_base_is_right() -> None:
    assert found(BASE) == []


@pytest.mark.parametrize("slip", SLIPS, ids=str)
def test_a_slip_is_found_in_its_line_and_nothing_else(slip: Slip) -> None:
    text = with_one(slip.old, slip.wrong)
    problems = found(text)
    assert [(each.code, each.line, each.severity) for each in problems] == [
        (slip.code, marked(text), slip.severity)
    ], "\n".join(map(str, problems))


@pytest.mark.parametrize("slip", SLIPS, ids=str)
def test_a_near_miss_passes(slip: Slip) -> None:
    assert found(with_one(slip.old, slip.near)) == []


CODES = """
    asks-closed bad-date bad-day bad-duration bad-hours bad-pattern bad-region bad-timezone cannot-pause
    contradiction days-on-calendar does-nothing duplicate empty empty-audience fixed-offset missing
    missing-locale needs-deadline no-level no-level-before no-start no-within nobody-at-night no-target not-public
    not-settable nothing-to-repeat nothing-to-say-it-in nullable-negation open-and-closed operator-word
    order out-of-range skill-without-strategy substitute-circle suggest-pending two-dues undo-each-other
    unknown-account unknown-calendar unknown-channel unknown-clock unknown-field unknown-function
    unknown-group unknown-key unknown-operator unknown-owner unknown-person unknown-skill unknown-template
    unknown-value unmapped-field wrong-argument wrong-operator wrong-type
"""


def test_every_code_has_its_slip() -> None:
    assert {slip.code for slip in SLIPS} == set(CODES.split())


# --- more than one file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "wrong", "near"),
    [
        ("unknown-key", "[service]\nmode = 'observe'", "[people.lee]\nmanager = 'Ann'"),
        ("unknown-key", "[accounts.other]", "[groups.Duty]\non_call = 'Ann'"),
        (
            "duplicate",
            "[sla.standard]\nresolution = { low = '1h' }",
            "[sla.more]\nresolution = { low = '1h' }",
        ),
        ("duplicate", "[templates.handoff]\nen = 'x'", "[templates.other]\nen = 'x'"),
        (
            "duplicate",
            "[calendars.office]\ntimezone = 'UTC'\nhours = { mon = '09:00-17:00' }",
            "[calendars.other]\ntimezone = 'UTC'\nhours = { mon = '09:00-17:00' }",
        ),
    ],
)
def test_a_second_file_has_its_own_lines(code: str, wrong: str, near: str) -> None:
    assert [(each.file, each.line, each.code) for each in found(BASE, f"\n{wrong}\n")] == [
        ("1.toml", 2, code)
    ]
    assert found(BASE, f"\n{near}\n") == []


def test_a_policy_of_one_name_is_found_where_it_stands_again() -> None:
    again = "[[policy]]\nname = 'plain'\nclock = 'created'\nwhen = { status = 'open' }\n"
    again += "[[policy.level]]\nname = 'one'\nafter = '1h'\nnote = 'handoff'\n"
    (problem,) = found(BASE, again)
    assert (problem.file, problem.line, problem.code) == ("1.toml", 2, "duplicate")
    assert "0.toml:21" in problem.message
    assert found(BASE, again.replace("plain", "other")) == []


def test_a_file_may_refer_to_what_another_says() -> None:
    policy = "[[policy]]\nname = 'x'\nclock = 'created'\ncalendar = 'late'\nwhen = { custom.tier = 1 }\n"
    policy += "[[policy.level]]\nname = 'one'\nafter = '1h'\nnote = 'more'\n"
    rest = "[calendars.late]\ntimezone = 'UTC'\nhours = { mon = '20:00-24:00' }\n[templates.more]\nen = 'x'\n"
    assert found(BASE, policy, rest) == []
    assert [each.code for each in found(BASE, policy)] == ["unknown-calendar", "unknown-template"]


def test_a_directory_that_was_never_read_is_not_judged() -> None:
    text = with_one(ONE, f"{ONE}owner = 'Tier 9'\nassign = {{ group = 'Tier 8', agent = 'Zed' }}\n")
    assert found(text, known=Known()) == []
    assert [each.code for each in found(text)] == ["unknown-owner", "unknown-group", "unknown-person"]


@pytest.mark.parametrize(
    "text", ["policy = 3", "[policy]\nname = 'x'", "policy = ['x']", "calendars = []", "[sla]\nx = 1"]
)
def test_what_is_no_table_is_said(text: str) -> None:
    assert {each.code for each in found(f"{text}\n[service]\nmode = 'observe'\n")} == {"wrong-type"}


@pytest.mark.parametrize(
    "text", ["service = 1", "accounts = 1", "[accounts]\nacme = 1", "[accounts.acme]\nfields = 1"]
)
def test_settings_of_a_wrong_kind_break_nothing(text: str) -> None:
    found(f"{text}\n")


# --- twenty at once ------------------------------------------------------------------------------------------

MAIN = """\
[service]
mode = "enforce"
default_owner = "Escalation" #! unknown-owner | default_owner = "Escalations"
[accounts.acme.fields]
has = 1 #! operator-word | tier = 1
[templates.handoff]
en = "" #! empty | en = "{{ level.name }}"
[calendars.office]
timezone = "Europe/Lodnon" #! bad-timezone | timezone = "Europe/London"
closed = ["2026-02-30"] #! bad-date | closed = ["2026-02-28"]
[calendars.office.hours]
mon-fri = "17:00-09:00" #! bad-hours | mon-fri = "09:00-17:00"
[sla.standard]
calendar = "offfice" #! unknown-calendar | calendar = "office"
first_reply = { urgnet = "1h" } #! unknown-key | first_reply = { urgent = "1h" }
"""
SECOND = """\
[[policy]]
name = "first"
clock = "customer_wating" #! unknown-clock | clock = "customer_waiting"
calender = "office" #! unknown-key | calendar = "office"
stop_on = ["agent_replies"] #! unknown-value | stop_on = ["agent_reply"]
[policy.when]
status = ["new", "closed"] #! asks-closed | status = ["new", "open"]
subjetc = "x" #! unknown-field | subject = "x"
tags = "vip" #! wrong-operator | tags = { has = "vip" }
[[policy.level]]
name = "one"
after = "soon" #! bad-duration | after = "30m"
note = "handof" #! unknown-template | note = "handoff"
[[policy.level]]
name = "one" #! duplicate | name = "two"
after = "1h"
before = "5m" #! two-dues | owner = "Duty"
assign = { group = "Tier 9" } #! unknown-group | assign = { group = "Tier 2" }
[[policy.level]] #! does-nothing | [[policy.level]] / owner = "Duty"
name = "three"
after = "2h"
"""


def corrected(text: str) -> str:
    """The text with each line as it should be; a slash stands for a new line."""
    lines = (each.split(" | ")[1] if " #! " in each else each for each in text.splitlines())
    return "\n".join(lines).replace(" / ", "\n") + "\n"


def planted(name: str, text: str) -> list[tuple[str, int, str]]:
    """The mistakes of a file, from its own remarks."""
    lines = enumerate(text.splitlines(), start=1)
    return [(name, n, each.split(" #! ")[1].split(" | ")[0]) for n, each in lines if " #! " in each]


def test_twenty_mistakes_give_twenty_findings() -> None:
    expected = planted("0.toml", MAIN) + planted("1.toml", SECOND)
    assert len(expected) == 20
    assert [(each.file, each.line, each.code) for each in found(MAIN, SECOND)] == expected


def test_and_none_once_they_are_corrected() -> None:
    assert found(corrected(MAIN), corrected(SECOND)) == []


def test_two_groups_of_lines_that_only_count_alike_are_no_contradiction() -> None:
    any_of = 'any = [{{ tags = {{ has = "{}" }} }}, {{ type = "task" }}]\n'
    asks, excludes = any_of.format("vip"), any_of.format("spam")
    text = policy(when=asks, unless=excludes)
    assert codes(text) == []
    assert codes(policy(when=asks, unless=asks)) == ["contradiction"]


def codes(text: str) -> list[str]:
    """The errors of this text under the head that lives have."""
    document = read("uptier.toml", HEAD + text)
    assert isinstance(document, Document)
    return [each.code for each in parse([document]).problems if each.severity == "error"]
