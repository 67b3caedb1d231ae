"""Reads config and policy files into one checked `PolicySet`, or into all the problems there are, at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.language.clocks import CLOCKS
from policies.language.document import Document, Problem, digest
from policies.language.lint import lint
from policies.language.operators import OPERATORS
from policies.language.parse_policy import read_policy
from policies.language.parse_tables import read_calendar, read_channel, read_packs, read_people, read_sla
from policies.language.policy import CalendarSpec, Policy, PolicySet, TemplateSpec
from policies.language.reader import Table
from policies.language.references import Known, References
from policies.language.vocabulary import MODES, Mode
from policies.model import Need

SHARED = ("policy", "people", "groups", "calendars", "templates", "sla", "phrases")
DECIDING = ("people", "groups", "calendars", "sla", "phrases")
"""What of it can change what a policy decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """`policies` is None if any problem is an error."""

    policies: PolicySet | None
    problems: tuple[Problem, ...]


def parse(documents: Sequence[Document], known: Known | None = None) -> Parsed:
    """Read the main file, first, and the policy files, in the order of their names.

    `known` is what the helpdesks' directories tell; groups and people of an account not in it are not judged.
    The keys of `[service]` and `[accounts]`, and the addresses of `[channels]`, belong to the connector and are not
    checked here.
    """
    problems: list[Problem] = []
    roots = [
        Table(document=each, path=(), values=each.data, about="", problems=problems) for each in documents
    ]
    for root in roots[1:]:
        root.only(SHARED)
    found = read_all(roots, known or Known())
    wrong = any(problem.severity == "error" for problem in problems)
    return Parsed(policies=None if wrong else found, problems=tuple(sorted(problems)))


def read_all(roots: Sequence[Table], known: Known) -> PolicySet:
    """Everything the files say; what is wrong is noted in the tables."""
    main = roots[0]
    accounts = read_accounts(main)
    calendars, templates, packs = read_calendars(roots), read_templates(roots), read_packs(roots)
    channels = {
        name: read_channel(
            name, main.inside(("channels", name), values, f'channel "{name}"'), templates, calendars
        )
        for name, values in tables_in(main, "channels").items()
    }
    people = read_people(roots)
    references = References(
        accounts=tuple(accounts),
        custom=accounts,
        calendars=tuple(calendars),
        templates=tuple(templates),
        channels=tuple(channels),
        people=people.named,
        known=known,
        on_call=frozenset(people.on_call),
        skills=frozenset[str]().union(*people.staff.skills.values()),
        packs=packs,
        limits=people.limits,
    )
    check_languages(main, roots)
    slas = {
        name: read_sla(name, table, references)
        for name, table in unique(roots, "sla", "a table of this name")
    }
    references = replace(references, slas=tuple(slas.values()))
    written = list(read_policies(roots, references))
    lint(written, references)
    policies = tuple(policy for _, policy in written)
    modes = read_modes(main)
    default_owner = read_default_owner(main, policies, modes, references)
    shared = [default_owner, modes, {name: pack.phrases for name, pack in packs.items()}]
    untaken = [name for name, each in tables_in(main, "accounts").items() if takes_nothing(each)]
    deciding = [*shared, untaken, *(root.values.get(key) for root in roots for key in DECIDING)]
    policies = tuple(
        replace(each, decides=digest([each.decides, *deciding]), needs=needs_of(each)) for each in policies
    )
    # The addresses of channels belong to the connector; what stands there counts all the same.
    spoken = [main.values["channels"]] if "channels" in main.values else []
    return PolicySet(
        policies=policies,
        default_owner=default_owner,
        modes=modes,
        calendars=calendars,
        templates=templates,
        channels=channels,
        slas=references.slas,
        leads=people.leads,
        managers=people.managers,
        on_call=people.on_call,
        assigned_by_automation=frozenset(untaken),
        staff=people.staff,
        packs=packs,
        limits=people.limits,
        needs=frozenset[Need]().union(*(each.needs for each in policies)),
        hash=digest([*shared, *(root.values.get(key) for root in roots for key in SHARED), *spoken]),
        decides=digest([each.decides for each in policies]),
    )


def takes_nothing(account: Mapping[str, Any]) -> bool:
    """Whether an automation assigns there, so that a new assignee has not taken the ticket."""
    return account.get("assignment_acknowledges") is False


def needs_of(policy: Policy) -> frozenset[Need]:
    """What must be loaded of a ticket so that the policy can be judged, and hand it over."""
    lines = (line.every_need() for section in (policy.when, policy.unless) for line in section.lines)
    clock = CLOCKS[policy.clock].needs if policy.clock in CLOCKS else ()
    handed = (Need.MESSAGES,) if any(level.hand_off for level in policy.levels) else ()
    return frozenset(clock).union(handed, *lines)


def read_accounts(main: Table) -> Mapping[str, frozenset[str]]:
    """The accounts of the config, in file order, and the custom fields each of them maps."""
    found: dict[str, frozenset[str]] = {}
    for name, account in tables_in(main, "accounts").items():
        fields = account.get("fields", {})
        found[name] = frozenset(fields) if isinstance(fields, dict) else frozenset()
        for word in sorted(found[name] & OPERATORS.keys()):
            main.report(
                ("accounts", name, "fields", word),
                "operator-word",
                f"`{word}` is an operator and cannot name a custom field; give it another name, for example {word}_.",
            )
    return found


def tables_in(main: Table, key: str) -> Mapping[str, Mapping[str, Any]]:
    """The tables `[key.NAME]` by name. What is no table is judged by whoever reads the settings."""
    outer = main.values.get(key, {})
    if not isinstance(outer, dict):
        return {}
    return {name: each for name, each in outer.items() if isinstance(each, dict)}


def unique(roots: Sequence[Table], key: str, what: str) -> Iterator[tuple[str, Table]]:
    """The tables `[key.NAME]` of all files; a name that stands in two is noted, and the later counts."""
    seen: set[str] = set()
    for root in roots:
        for name, table in root.named(key):
            if name in seen:
                table.report((), "duplicate", f"{what} stands in another file too; rename one.")
            seen.add(name)
            yield name, table


def read_modes(main: Table) -> Mapping[str, Mode]:
    """Each account's mode where it says one, the service's under the empty name. Others check the words."""
    service = main.values.get("service", {})
    said = {"": service if isinstance(service, dict) else {}, **tables_in(main, "accounts")}
    words = {name: str(each.get("mode")) for name, each in said.items()}
    return {name: MODES[word] for name, word in words.items() if word in MODES}


def read_default_owner(
    main: Table, policies: Sequence[Policy], modes: Mapping[str, Mode], references: References
) -> str | None:
    """Who answers when nobody else does; somebody must, once anything is enforced (rule 12)."""
    service = main.table("service", "service")
    if service is None:
        return None
    owner = service.text("default_owner", '"Escalations"')
    if modes.get("") == "enforce" and any(policy.mode != "observe" for policy in policies):
        service.require("default_owner", '"Escalations"')
    if owner is not None:
        references.check_owner(service, "default_owner", owner, references.accounts)
    return owner


def read_policies(roots: Sequence[Table], references: References) -> Iterator[tuple[Table, Policy]]:
    """The policies of all files and where they stand; a name may stand in one place only (rule 13)."""
    places: dict[str, str] = {}
    for root in roots:
        for index, table in enumerate(root.tables("policy"), start=1):
            called = table.called(f'policy "{table.values.get("name", index)}"')
            policy = read_policy(called, references)
            if policy.name in places:
                table.report(
                    "name",
                    "duplicate",
                    f'policy "{policy.name}" stands at {places[policy.name]} too; rename one.',
                )
            elif policy.name:
                places[policy.name] = f"{policy.file}:{policy.line}"
            yield called, policy


def read_calendars(roots: Sequence[Table]) -> Mapping[str, CalendarSpec]:
    """The calendars by name. One that cannot be read is there all the same, always closed, so that what
    refers to it is not wrong too."""
    return {
        name: read_calendar(name, table) or CalendarSpec(name=name, timezone="UTC", hours=((),) * 7)
        for name, table in unique(roots, "calendars", "a calendar of this name")
    }


def read_templates(roots: Sequence[Table]) -> Mapping[str, TemplateSpec]:
    """The templates by name, one body for each language."""
    templates: dict[str, TemplateSpec] = {}
    for name, table in unique(roots, "templates", "a template of this name"):
        if not table.values:
            table.report((), "empty", 'the template has no text; write for example en = "Escalated: …".')
        bodies = {language: table.text(language, '"Escalated: …"') for language in table.values}
        templates[name] = TemplateSpec(name=name, bodies={k: body for k, body in bodies.items() if body})
    return templates


def check_languages(main: Table, roots: Sequence[Table]) -> None:
    """Note every template that lacks one of the languages the service speaks."""
    service = main.table("service", "service")
    languages = (service.texts("languages", '["en", "de"]') if service else None) or ()
    for root in roots:
        for name, table in root.named("templates"):
            for language in languages:
                if language not in table.values:
                    table.report(
                        (),
                        "missing-locale",
                        f'template "{name}" has no text in {language}, which [service] languages names; '
                        f'add {language} = "…".',
                    )
