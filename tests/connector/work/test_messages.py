"""What goes on a ticket is what the config says; a note also says what it owes its reader."""

import pytest

from connector.work.messages import LONGEST, check_templates, render
from policies.language.document import Document, read
from policies.language.policy import PolicySet, TemplateSpec
from policies.model import Person, Priority, Status, Ticket, TicketRef
from policies.plan import Say

ALL = "{{ policy.name }}/{{ level.name }}: {{ reasons | join('; ') }}. {{ owner }}. {{ next_step }}"


def ticket(**more: object) -> Ticket:
    said = {
        "ref": TicketRef("acme", "4711"),
        "link": "https://helpdesk.example/4711",
        "subject": "Printer on fire",
        "status": Status.OPEN,
        "status_name": "open",
        "created": 0,
        "updated": 0,
        "read_at": 0,
        "revision": "1",
    }
    return Ticket(**(said | more))  # type: ignore[arg-type]


def say(*, public: bool = False, **more: object) -> Say:
    said = {
        "template": "handoff",
        "policy": "urgent-unanswered",
        "level": "Team lead",
        "reasons": ("customer waiting for 31m (limit 30m)", "priority is urgent"),
        "owner": "Tier 2",
        "next_step": "Duty manager at 14:30",
    }
    return Say(public=public, **(said | more))  # type: ignore[arg-type]


def policies(**bodies: str) -> PolicySet:
    return PolicySet(
        policies=(),
        default_owner=None,
        modes={},
        calendars={},
        templates={"handoff": TemplateSpec(name="handoff", bodies=bodies)},
    )


def text(body: str, *, public: bool = True, **more: object) -> str:
    return render(say(public=public), ticket(**more), policies(en=body)).body


def faults(body: str) -> list[str]:
    quoted = f"[templates.handoff]\nen = '''{body}'''\n"
    document = read("c.toml", quoted)
    assert isinstance(document, Document)
    return [str(problem) for problem in check_templates([document])]


def test_a_template_sees_everything_it_is_promised() -> None:
    body = (
        "{{ policy.name }}|{{ level.name }}|{{ reasons | join(', ') }}|{{ owner }}|{{ next_step }}"
        "|{{ account }}|{{ ticket.ref }}|{{ ticket.subject }}|{{ ticket.status }}|{{ ticket.priority }}"
        "|{{ ticket.requester.name }}"
    )
    assert faults(body) == []
    ann = Person(id="1", name="Ann")
    assert text(body, priority=Priority.URGENT, requester=ann).split("|") == [
        "urgent-unanswered",
        "Team lead",
        "customer waiting for 31m (limit 30m), priority is urgent",
        "Tier 2",
        "Duty manager at 14:30",
        "acme",
        "acme/4711",
        "Printer on fire",
        "open",
        "urgent",
        "Ann",
    ]


def test_what_a_ticket_lacks_is_empty_or_none() -> None:
    assert text("{{ ticket.priority }}{{ ticket.requester.name }}") == "none"


def test_conditions_and_loops_over_reasons_work() -> None:
    loop = "{% for reason in reasons %}{{ loop.index }}. {{ reason }}\n{% endfor %}"
    body = loop + "{% if ticket.priority == 'none' %}-{% endif %}"
    assert faults(body) == []
    assert text(body) == "1. customer waiting for 31m (limit 30m)\n2. priority is urgent\n-"


def test_ticket_text_is_never_read_as_a_template() -> None:
    assert text("{{ ticket.subject }}", subject="{{ 7 * 6 }} <b>") == "{{ 7 * 6 }} <b>"


def test_a_note_says_what_its_template_leaves_out() -> None:
    assert text("Please look.", public=False) == (
        "Please look.\n\n"
        "Policy: urgent-unanswered. Level: Team lead.\n"
        "Why: customer waiting for 31m (limit 30m); priority is urgent.\n"
        "Next: Duty manager at 14:30\n"
        "Ask why: uptier explain acme/4711"
    )


def test_a_note_repeats_nothing_that_its_template_says() -> None:
    note = text(ALL, public=False)
    assert note.splitlines()[1:] == ["", "Ask why: uptier explain acme/4711"]
    assert text("uptier explain {{ ticket.ref }} " + ALL, public=False).count("uptier explain") == 1


def test_an_empty_note_still_says_what_it_must() -> None:
    assert text("", public=False).startswith("Policy: urgent-unanswered. Level: Team lead.")


def test_a_reply_says_what_its_template_says_and_no_more() -> None:
    note = render(say(public=True), ticket(), policies(en="We are on it."))
    assert (note.public, note.body) == (True, "We are on it.")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_at", "de"),
        ("pt-BR", "pt-BR"),
        ("pt", "en"),
        ("fr", "en"),
        (None, "en"),
    ],
)
def test_the_tickets_language_is_used_and_else_the_first(language: str | None, expected: str) -> None:
    known = policies(**{"en": "en", "de": "de", "pt-BR": "pt-BR"})
    assert render(say(public=True), ticket(language=language), known).body == expected


def test_a_text_is_cut_at_the_cap_and_the_duties_of_a_note_are_kept() -> None:
    note = text("{{ ticket.subject }}", public=False, subject="x" * 50_000)
    assert note.startswith("x" * (LONGEST - 1) + "…\n\n")
    assert note.endswith("Ask why: uptier explain acme/4711")
    assert len(text("{{ ticket.subject }}" * 20, subject="x" * 9_000)) == LONGEST


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{{ onwer }}", 'Did you mean "owner"?'),
        ("{{ ticket.subjct }}", 'Did you mean "subject"?'),
        ("{{ ticket.description }}", "no `ticket.description`"),
        ("{{ ticket }}", "has parts"),
        ("{{ ticket.requester.name.x }}", "has no parts"),
        ("{{ ('a').b }}", "only named values"),
        ("{{ owner.__class__ }}", "has no parts"),
        ("{{ owner | uper }}", 'Did you mean "upper"?'),
        ("{{ 'a' * 200000000 }}", "`mul` is not allowed"),
        ("{{ range(9) }}", "`call` is not allowed"),
        ("{% set x = 1 %}", "`assign` is not allowed"),
        ("{% include 'x' %}", "`include` is not allowed"),
        ("{% for x in ticket.subject %}{% endfor %}", "a loop goes over `reasons`"),
        (
            "{% for x in reasons %}{% for y in reasons %}{% endfor %}{% endfor %}",
            "a loop goes over `reasons`",
        ),
        ("{% for x in reasons %}{{ y }}{% endfor %}", "no `y`"),
        ("{% if %}", "line 1"),
        ("{{ owner | truncate('x') }}", "line 1"),
        ("{{ ticket.requester.name | first }}", "without subject, requester and reasons"),
        ("x" * 8_001, "8000 are the most"),
    ],
)
def test_a_template_that_could_fail_is_refused_when_it_is_loaded(body: str, says: str) -> None:
    (fault,) = faults(body)
    assert fault.startswith('c.toml:2: error bad-template: template "handoff" (en), line 1')
    assert says in fault


def test_all_faults_come_at_once_with_their_line_in_the_text() -> None:
    assert [fault.partition("line ")[2][:1] for fault in faults("{{ a1 }}\n{{ owner }}\n{{ b2 }}")] == [
        "1",
        "3",
    ]


@pytest.mark.parametrize("written", ["", "templates = 1", "[templates]\nx = 1", "[templates.x]\nen = 1"])
def test_other_faults_are_not_judged_here(written: str) -> None:
    document = read("c.toml", written)
    assert isinstance(document, Document)
    assert check_templates([document]) == ()
