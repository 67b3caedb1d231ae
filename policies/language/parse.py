"""Reads config and policy files into one checked `PolicySet`, or into all the problems there are, at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.language.clocks import CLOCKS
from policies.language.document import Document, Problem, digest
from policies.language.lint import lint
from policies.language.operators import OPERATORS
from policies.language.parse_policy import read_policy
from policies.language.parse_tables import (
    read_calendar,
    read_channel,
    read_groups,
    read_limits,
    read_packs,
    read_people,
    read_sla,
    read_staff,
)
from policies.language.policy import (
    CalendarSpec,
    ChannelSpec,
    Policy,
    PolicySet,
    SlaSpec,
    TemplateSpec,
)
from policies.language.reader import Table
from policies.language.references import Known, References
from policies.language.vocabulary import MODES, Mode
from policies.model import Need

SHARED = ("policy", "people", "groups", "calendars", "templates", "sla", "phrases")


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
    accounts = read_accounts(roots[0])
    calendars = read_calendars(roots)
    templates, packs = read_templates(roots), read_packs(roots)
    channels = read_channels(roots[0], templates, calendars)
    managers, leads, on_call = read_people(roots), read_groups(roots, "lead"), read_groups(roots, "on_call")
    limits = read_limits(roots)
    staff = read_staff(roots)
    references = References(
        accounts=tuple(accounts),
        custom=accounts,
        calendars=tuple(calendars),
        templates=tuple(templates),
        channels=tuple(channels),
        people=frozenset({*managers, *managers.values(), *leads.values(), *on_call.values()}),
        known=known,
        on_call=frozenset(on_call),
        skills=frozenset[str]().union(*staff.skills.values()),
        packs=packs,
        limits=limits,
    )
    check_languages(roots[0], roots)
    slas = read_slas(roots, references)
    references = replace(references, slas=slas)
    written = list(read_policies(roots, references))
    lint(written, references)
    policies = tuple(policy for _, policy in written)
    modes = read_modes(roots[0])
    default_owner = read_default_owner(roots[0], policies, modes, references)
    shared = [default_owner, modes, {name: pack.phrases for name, pack in packs.items()}]
    return PolicySet(
        policies=policies,
        default_owner=default_owner,
        modes=modes,
        calendars=calendars,
        templates=templates,
        channels=channels,
        slas=slas,
        leads=leads,
        managers=managers,
        on_call=on_call,
        assigned_by_automation=frozenset(
            name
            for name, account in tables_in(roots[0], "accounts").items()
            if account.get("assignment_acknowledges") is False
        ),
        staff=staff,
        packs=packs,
        limits=limits,
        needs=needs_of(policies),
        hash=digest(
            [*shared, *(root.values.get(key) for root in roots for key in SHARED), *spoken_of(roots[0])]
        ),
    )


def needs_of(policies: Sequence[Policy]) -> frozenset[Need]:
    """What must be loaded of a ticket so that every policy can be judged."""
    sections = (section for policy in policies for section in (policy.when, policy.unless))
    handed = [policy for policy in policies if any(level.hand_off for level in policy.levels)]
    lines = frozenset(need for section in sections for line in section.lines for need in line.every_need())
    said = frozenset({Need.MESSAGES}) if handed else frozenset()
    return lines.union(said, *(CLOCKS[each.clock].needs for each in policies if each.clock in CLOCKS))


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
    owner = None if service is None else service.text("default_owner", '"Escalations"')
    enforced = modes.get("") == "enforce" and any(policy.mode != "observe" for policy in policies)
    if service is not None and enforced and "default_owner" not in service.values:
        service.require("default_owner", '"Escalations"')
    if service is not None and owner is not None:
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


def read_slas(roots: Sequence[Table], references: References) -> tuple[SlaSpec, ...]:
    """The tables of targets in file order; the first that serves an account is the one (see Clocks)."""
    slas: dict[str, SlaSpec] = {}
    for root in roots:
        for name, table in root.named("sla"):
            if name in slas:
                table.report((), "duplicate", "a table of this name stands in another file too; rename one.")
            slas[name] = read_sla(name, table, references)
    return tuple(slas.values())


def read_calendars(roots: Sequence[Table]) -> Mapping[str, CalendarSpec]:
    """The calendars by name. One that cannot be read is there all the same, always closed, so that what
    refers to it is not wrong too."""
    calendars: dict[str, CalendarSpec] = {}
    for root in roots:
        for name, table in root.named("calendars"):
            if name in calendars:
                table.report(
                    (), "duplicate", "a calendar of this name stands in another file too; rename one."
                )
            broken = CalendarSpec(name=name, timezone="UTC", hours=((),) * 7)
            calendars[name] = read_calendar(name, table) or broken
    return calendars


def read_templates(roots: Sequence[Table]) -> Mapping[str, TemplateSpec]:
    """The templates by name, one body for each language."""
    templates: dict[str, TemplateSpec] = {}
    for root in roots:
        for name, table in root.named("templates"):
            if name in templates:
                table.report(
                    (), "duplicate", "a template of this name stands in another file too; rename one."
                )
            if not table.values:
                table.report((), "empty", 'the template has no text; write for example en = "Escalated: …".')
            bodies = {language: table.text(language, '"Escalated: …"') for language in table.values}
            templates[name] = TemplateSpec(name=name, bodies={k: body for k, body in bodies.items() if body})
    return templates


def read_channels(
    main: Table, templates: Collection[str], calendars: Collection[str]
) -> Mapping[str, ChannelSpec]:
    """The channels of the config by name. Their addresses belong to the connector."""
    return {
        name: read_channel(
            name, main.inside(("channels", name), values, f'channel "{name}"'), templates, calendars
        )
        for name, values in tables_in(main, "channels").items()
    }


def spoken_of(main: Table) -> list[object]:
    """What the hash covers of the channels: nothing where there are none."""
    return [main.values["channels"]] if "channels" in main.values else []


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
