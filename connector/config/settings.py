"""The config file's `[service]`, `[accounts.*]` and `[channels.*]`, checked, and all its policy files say.

Keys and defaults are described in docs/config.md. Secrets are never here, only references to them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from adapters.base import Account
from connector.config import holidays
from connector.config.files import DEFAULT_PATTERNS, find_tests, read_file, read_files
from connector.config.problems import plain_secrets, translate
from connector.config.secrets import PREFIX
from connector.config.values import (
    DAY,
    EVERY_ADDRESS,
    addresses,
    alarm_pace,
    alarm_window,
    as_text,
    check_vendors,
    database_url,
    fault,
    figure_limit,
    helpdesk_url,
    host_and_port,
    interval,
    is_loopback,
    issuer_url,
    kept_for,
    known_adapter,
    known_figure,
    listen_address,
    outside_url,
    proxy_addresses,
    reference,
    statuses_by_label,
    vendors,
)
from connector.report.alarms import OF_A_POLICY, Alarm
from connector.store.users import Role as ConsoleRole
from connector.work.messages import asking_for_links, check_templates
from policies.language.document import Document, Problem, did_you_mean, listed
from policies.language.parse import SHARED, parse
from policies.language.policy import Policy, PolicySet
from policies.language.references import Known
from policies.language.vocabulary import Mode
from policies.made_life import MadeLife, made_life
from policies.model import Seconds, Status
from policies.policy_tests import BEGINNING, PolicyTest, Result, covered, play, read_tests
from policies.rules.calendars import Calendar


def account_names(accounts: Mapping[str, "AccountSettings"]) -> Mapping[str, "AccountSettings"]:
    """Names that fit into URLs and ticket references; read-only."""
    for name in accounts:
        if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
            raise fault("bad-name", f'account "{name}": write the name with letters, digits, - and _ only.')
    if not accounts:
        raise fault("missing", "no account is connected; add [accounts.NAME].")
    return MappingProxyType(accounts)


class Table(BaseModel):
    """What all tables have in common: no unknown keys, and nothing changes once it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Caps(Table):
    """Rule 14: how much one account and one ticket may see before a human is asked."""

    escalations_per_hour: Annotated[int, Field(strict=True, ge=1)] = 500
    writes_per_day: Annotated[int, Field(strict=True, ge=1)] = 20
    due_at_start: Annotated[int, Field(strict=True, ge=0)] = 25


class Retention(Table):
    """`[service.retention]`: for how long words we wrote, tickets that are over and the ledger's lines are kept, in
    seconds."""

    texts: Annotated[Seconds, BeforeValidator(kept_for), WithJsonSchema({"type": "string"})] = 30 * DAY
    tickets: Annotated[Seconds, BeforeValidator(kept_for), WithJsonSchema({"type": "string"})] = 365 * DAY
    ledger: Annotated[Seconds, BeforeValidator(kept_for), WithJsonSchema({"type": "string"})] = 1095 * DAY


class SingleSignOn(Table):
    """`[service.single_sign_on]`: an OpenID Connect provider. `name` is the claim that users are called by; without
    `role_claim` the user table says who may what."""

    issuer: Annotated[str, AfterValidator(issuer_url)] = Field(examples=['issuer = "https://login.example"'])
    client_id: Annotated[str, Field(min_length=1)] = Field(examples=['client_id = "uptier"'])
    client_secret: str | None = None
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    name: str = "email"
    role_claim: str | None = None
    roles: Annotated[Mapping[str, ConsoleRole], AfterValidator(MappingProxyType)] = Field(
        default_factory=dict, validate_default=True
    )

    @model_validator(mode="after")
    def _whole(self) -> "SingleSignOn":
        if (self.role_claim is None) != (not self.roles):
            raise fault(
                "missing",
                "`role_claim` and `roles` belong together: a claim, and which value of it is which role.",
            )
        if "openid" not in self.scopes:
            raise fault("missing", '`scopes` lacks "openid".')
        return self


class Service(Table):
    """`[service]`. `database` is absolute once read."""

    database: Annotated[str, AfterValidator(database_url)] = Field(
        "sqlite:///uptier.db", validate_default=True
    )
    database_password: str | None = None
    listen: Annotated[str, AfterValidator(listen_address)] = "127.0.0.1:8080"
    mode: Mode = "observe"
    default_owner: str | None = None
    policies: tuple[str, ...] = DEFAULT_PATTERNS
    languages: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    outside: Annotated[str, AfterValidator(outside_url)] | None = None
    proxies: Annotated[tuple[str, ...], AfterValidator(proxy_addresses)] = ()
    hosts: frozenset[str] = frozenset()
    metrics: Annotated[str, AfterValidator(listen_address)] | None = None
    caps: Caps = Caps()
    retention: Retention = Retention()
    single_sign_on: SingleSignOn | None = None
    link_key: Annotated[str, AfterValidator(reference)] | None = None

    @model_validator(mode="after")
    def _reached(self) -> "Service":
        if self.single_sign_on is not None and self.outside is None:
            raise fault(
                "missing",
                "`single_sign_on` needs `outside`, the address to which the provider sends people back.",
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return host_and_port(self.listen)

    @property
    def names(self) -> frozenset[str]:
        """The names under which people reach the console from other machines."""
        outside = urlsplit(self.outside).hostname if self.outside else None
        return self.hosts | ({outside} if outside else frozenset())

    @property
    def by_https(self) -> bool:
        """Whether browsers reach the console by https: as `outside` says; without it, under every name that is not
        this machine's."""
        listened_on = self.address[0]
        elsewhere = self.hosts or not (is_loopback(listened_on) or listened_on in EVERY_ADDRESS)
        return self.outside.startswith("https:") if self.outside else bool(elsewhere)


class AccountSettings(Table):
    """`[accounts.NAME]`. Without `webhook` the account is only polled. What stands in `auth` and `webhook`, and
    which further keys there are, its helpdesk says (`connector.config.values`)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: Annotated[str, AfterValidator(known_adapter)] = Field(examples=['adapter = "zendesk"'])
    url: Annotated[str, AfterValidator(helpdesk_url)] = Field(examples=['url = "https://helpdesk.example"'])
    auth: Annotated[Mapping[str, str], AfterValidator(MappingProxyType)] = Field(
        examples=['auth = { kind = "bearer", token = "secret:acme-token" }']
    )
    webhook: Annotated[Mapping[str, str], AfterValidator(MappingProxyType)] = Field(
        default_factory=dict, validate_default=True
    )
    poll: Annotated[Seconds, BeforeValidator(interval), WithJsonSchema({"type": "string"})] = 60
    budget: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.5
    mode: Mode | None = None
    fields: Annotated[
        Mapping[str, Annotated[str, BeforeValidator(as_text)]], AfterValidator(MappingProxyType)
    ] = Field(default_factory=dict, validate_default=True)
    statuses: Annotated[Mapping[str, Status], AfterValidator(statuses_by_label)] = Field(
        default_factory=dict, validate_default=True
    )
    assignment_acknowledges: Annotated[bool, Field(strict=True)] = True
    vip: frozenset[str] = frozenset({"vip"})
    vip_organizations: frozenset[str] = frozenset()
    vip_addresses: Annotated[frozenset[str], AfterValidator(addresses)] = frozenset()

    @property
    def webhook_secrets(self) -> Mapping[str, str]:
        """The references among what `webhook` says, by key: what proves that a webhook is the helpdesk's."""
        return {key: ref for key, ref in self.webhook.items() if key != "user" and ref.startswith(PREFIX)}


class Channel(Table):
    """`[channels.NAME]`: where a channel outside the helpdesk is. The table's other keys, which say how it is spoken
    to, are read with the policies."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: Annotated[str, AfterValidator(reference)] = Field(examples=['url = "secret:leads-slack"'])


class AlarmSettings(Table):
    """`[[alarm]]`: a limit on a figure of the report, and who hears when it is crossed."""

    name: Annotated[str, Field(min_length=1)] = Field(examples=['name = "too many unacknowledged"'])
    figure: Annotated[str, AfterValidator(known_figure)] = Field(examples=['figure = "ack_coverage"'])
    over: float | str | None = None
    under: float | str | None = None
    within: Annotated[Seconds, BeforeValidator(alarm_window), WithJsonSchema({"type": "string"})] = Field(
        examples=['within = "24h"']
    )
    every: Annotated[Seconds, BeforeValidator(alarm_pace), WithJsonSchema({"type": "string"})] = 900
    notify: Annotated[tuple[str, ...], Field(min_length=1)] = Field(examples=['notify = ["leads"]'])
    account: str = ""
    team: str = ""
    policy: str = ""

    @model_validator(mode="after")
    def _one_limit(self) -> "AlarmSettings":
        if (self.over is None) == (self.under is None):
            raise fault(
                "one-limit", f'alarm "{self.name}": write either `over` or `under`, and only one of them.'
            )
        figure_limit(self.name, self.figure, self.over if self.under is None else self.under)
        if self.policy and self.figure not in OF_A_POLICY:
            raise fault(
                "unknown-figure",
                f'alarm "{self.name}": a policy has no figure "{self.figure}". Known: {listed(sorted(OF_A_POLICY))}.',
            )
        return self

    def alarm(self) -> Alarm:
        """The same for who watches it."""
        over, under = (
            None if said is None else figure_limit(self.name, self.figure, said)
            for said in (self.over, self.under)
        )
        return Alarm(**self.model_dump(exclude={"over", "under"}), over=over, under=under)


class Settings(Table):
    """What runs where: the service, the accounts and channels by name, and the alarms."""

    service: Service
    accounts: Annotated[Mapping[str, AccountSettings], AfterValidator(account_names)] = Field(
        examples=["[accounts.NAME]"]
    )
    channels: Annotated[Mapping[str, Channel], AfterValidator(MappingProxyType)] = Field(
        default_factory=dict, validate_default=True
    )
    alarm: tuple[AlarmSettings, ...] = ()
    use: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)

    def account(self, name: str, secret: Callable[[str], str]) -> Account:
        """What the adapter of this account is made from; `secret` resolves references when it asks."""
        said = self.accounts[name]
        return Account(
            name=name,
            url=said.url,
            auth=said.auth,
            webhook=said.webhook,
            settings=said.model_extra or {},
            secret=secret,
            fields=said.fields,
            statuses=said.statuses,
            vip=said.vip,
            vip_organizations=said.vip_organizations,
            vip_addresses=said.vip_addresses,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Everything the files say. `settings` or `policies` is None if theirs has an error among `problems`. `tests` are
    those of the policies that could be read; what is wrong in others keeps nothing from running."""

    settings: Settings | None
    policies: PolicySet | None
    problems: tuple[Problem, ...]
    documents: tuple[Document, ...]
    tests: tuple[PolicyTest, ...] = ()


def load(path: Path, known: Known | None = None) -> Loaded:
    """Read and check the main file and its policy files. All problems come at once, sorted by place.

    `known` is each account's directory as last read; without it groups and people are not judged.
    """
    files = read_files(path)
    if not files.documents:
        return Loaded(settings=None, policies=None, problems=files.problems, documents=())
    settings, about_settings = _settings(files.documents[0], path.parent)
    policies, about_policies = _policies(files.documents, known)
    policies = None if _broken(files.problems) else policies
    if settings is not None and policies is not None:
        about_policies = (*about_policies, *_alarms_on_nothing(files.documents[0], settings, policies))
    tests: tuple[PolicyTest, ...] = ()
    about_tests: tuple[Problem, ...] = ()
    if settings is not None and policies is not None:
        tests, wrong = policy_tests_in(find_tests(path), settings, policies)
        about_tests = tuple(replace(each, severity="warning") for each in wrong)
    return Loaded(
        settings=settings,
        policies=policies,
        problems=tuple(
            sorted(
                {
                    *about_settings,
                    *files.problems,
                    *about_policies,
                    *about_tests,
                    *check_links(files.documents, settings),
                }
            )
        ),
        documents=files.documents,
        tests=tests,
    )


def check_links(documents: Iterable[Document], settings: Settings | None) -> tuple[Problem, ...]:
    """A warning for every template that asks for links which this service does not make."""
    if settings is None or (settings.service.link_key and settings.service.outside):
        return ()
    return tuple(
        Problem(
            file=document.name,
            line=document.line(("templates", name, language)),
            code="no-links",
            message=f'template "{name}" ({language}) asks for links to act, and gets none: '
            "`[service]` needs `link_key` and `outside` for them.",
            severity="warning",
        )
        for document in documents
        for name, language in asking_for_links(document)
    )


def _alarms_on_nothing(main: Document, settings: Settings, policies: PolicySet) -> tuple[Problem, ...]:
    """A problem for each alarm on a policy that does not exist."""
    names = [each.name for each in policies.policies]
    return tuple(
        Problem(
            file=main.name,
            line=main.line(("alarm", index, "policy")),
            code="unknown-policy",
            message=f'alarm "{each.name}": there is no policy "{each.policy}".{did_you_mean(each.policy, names)}',
        )
        for index, each in enumerate(settings.alarm)
        if each.policy and each.policy not in names
    )


def policies_of(path: Path, instead: Path | None) -> Loaded:
    """The config with the policies of another file in place of its own; one file of the same name goes out whole, so
    that a changed copy may hold all that its original does. A file with `[service]` is a config by itself."""
    if instead is None:
        return load(path)
    given = read_file(instead)
    if isinstance(given, Problem):
        return Loaded(settings=None, policies=None, problems=(given,), documents=())
    if "service" in given.data:
        return load(instead)
    files = read_files(path)
    if not files.documents:
        return Loaded(settings=None, policies=None, problems=files.problems, documents=())
    settings, about_settings = _settings(files.documents[0], path.parent)
    main, *others = (
        replace(each, data={key: value for key, value in each.data.items() if key != "policy"})
        for each in files.documents
    )
    documents = (main, *(each for each in others if Path(each.name).name != instead.name), given)
    policies, about_policies = _policies(documents, None)
    return Loaded(
        settings=settings,
        policies=policies,
        problems=tuple(sorted({*about_settings, *about_policies})),
        documents=documents,
    )


def policy_tests_in(
    documents: Iterable[Document | Problem], settings: Settings, policies: PolicySet
) -> tuple[tuple[PolicyTest, ...], tuple[Problem, ...]]:
    """The tests of policies in these documents, and what is wrong in them."""
    tests, problems = list[PolicyTest](), list[Problem]()
    for each in documents:
        if isinstance(each, Problem):
            problems.append(each)
            continue
        found, wrong = read_tests(each, policies, tuple(settings.accounts))
        tests += found
        problems += wrong
    return tuple(tests), tuple(problems)


def play_tests(tests: Iterable[PolicyTest], policies: PolicySet) -> tuple[Result, ...]:
    """What comes of each test, with the public holidays of its time."""
    years: dict[int, Mapping[str, Calendar]] = {}
    results = []
    for test in tests:
        year = datetime.fromtimestamp(test.start, UTC).year
        days = years.get(year) or years.setdefault(year, holidays.calendars(policies, test.start))
        results.append(play(test, policies, days))
    return tuple(results)


def made_lives(
    tests: Iterable[PolicyTest], policies: PolicySet, accounts: Collection[str]
) -> Mapping[str, MadeLife | None]:
    """For each policy without a test the life that was made for it; None where it needs a test."""
    tested = covered(tests)
    days = holidays.calendars(policies, int(datetime.fromisoformat(f"{BEGINNING}+00:00").timestamp()))
    return {
        each.name: made_life(each, policies, tuple(accounts), days)
        for each in policies.policies
        if each.name not in tested
    }


def without_errors(loaded: Loaded) -> tuple[PolicySet, tuple[str, ...]]:
    """What files with errors say of policies all the same, for who looks back, and in words what is left out of it:
    each policy with an error, or all of them where the tables around them have one."""
    bare = [
        replace(each, data={key: value for key, value in each.data.items() if key != "policy"})
        for each in loaded.documents
    ]
    read = {each.name for each in loaded.documents}
    left_out = sorted({each.file for each in loaded.problems if each.severity == "error"} - read)
    shared, _ = _policies(bare, None)
    if shared is None:
        nothing = PolicySet(policies=(), default_owner=None, modes={}, calendars={}, templates={})
        return nothing, (*left_out, "all policies, calendars and tables of targets")
    whole: dict[str, Policy] = {}
    for place, document in enumerate(loaded.documents):
        written = document.data.get("policy")
        for index, table in enumerate(written if isinstance(written, list) else ()):
            alone = [*bare]
            alone[place] = replace(document, data={**bare[place].data, "policy": [table]})
            found, _ = _policies(alone, None)
            if found is not None and found.policies[0].name not in whole:
                whole[found.policies[0].name] = found.policies[0]
            else:
                left_out.append(_named(document, index, table))
    return replace(shared, policies=tuple(whole.values())), tuple(left_out)


def _named(document: Document, index: int, table: Any) -> str:
    name = table.get("name") if isinstance(table, dict) else None
    if isinstance(name, str):
        return f'policy "{name}"'
    return f"the policy of {document.name}:{document.line(('policy', index))}"


def _policies(
    documents: Sequence[Document], known: Known | None
) -> tuple[PolicySet | None, tuple[Problem, ...]]:
    """The policies of these files, and what is wrong with them; None if that is an error."""
    parsed = parse(documents, known)
    problems = (
        *parsed.problems,
        *check_templates(documents),
        *holidays.check_regions(documents),
    )
    if parsed.policies is None or _broken(problems):
        return None, problems
    return holidays.stamp(parsed.policies), problems


def unknown_tables(main: Document) -> tuple[Problem, ...]:
    """A problem for every table of the main file that nobody reads."""
    known = (*Settings.model_fields, *SHARED)
    return tuple(
        Problem(
            file=main.name,
            line=main.line((key,)),
            code="unknown-key",
            message=f"`{key}` is not a table here.{did_you_mean(key, known) or f' Known: {listed(sorted(known))}.'}",
        )
        for key in main.data
        if key not in known
    )


def _once(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """One problem for each place and code: a table of the wrong type is noticed from two sides."""
    return tuple({(each.line, each.code): each for each in problems}.values())


def _broken(problems: tuple[Problem, ...]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def readable_part(main: Document, folder: Path) -> Settings | None:
    """The accounts of a file with errors that have none themselves, with as much of the rest as can be read; None where
    there is no such account."""

    def of(**tables: Any) -> Settings | None:
        found, _ = _settings(replace(main, data=tables), folder)
        return found

    told = main.data.get("accounts")
    good = {
        name: table
        for name, table in (told.items() if isinstance(told, dict) else ())
        if of(accounts={name: table}) is not None
    }
    rest = {name: main.data[name] for name in ("service", "channels") if name in main.data}
    tries = (rest, *({name: table} for name, table in rest.items()), {})
    return next((found for each in tries if good and (found := of(accounts=good, **each))), None)


def _settings(main: Document, folder: Path) -> tuple[Settings | None, tuple[Problem, ...]]:
    said = {key: value for key, value in main.data.items() if key in Settings.model_fields}
    said.setdefault("service", {})
    problems = (
        *unknown_tables(main),
        *plain_secrets(main),
        *check_vendors(main, vendors(), tuple(AccountSettings.model_fields)),
    )
    try:
        settings = Settings.model_validate(said, context={"folder": folder.absolute()})
    except ValidationError as error:
        return None, _once((*problems, *translate(main, error, Settings)))
    problems = (*problems, *_alarms_lead_nowhere(main, settings))
    return (None if _broken(problems) else settings), problems


def _alarms_lead_nowhere(main: Document, settings: Settings) -> tuple[Problem, ...]:
    """Problems for alarms of one name, and for channels and accounts of alarms that do not exist."""
    found, names = list[Problem](), list[str]()
    for index, alarm in enumerate(settings.alarm):
        told = list[tuple[str, str, str]]()
        if alarm.name in names:
            told.append(("name", "duplicate", f'another alarm is called "{alarm.name}".'))
        names.append(alarm.name)
        for channel in alarm.notify:
            if channel not in settings.channels:
                hint = did_you_mean(channel, settings.channels)
                told.append(("notify", "unknown-channel", f'there is no channel "{channel}".{hint}'))
        if alarm.account and alarm.account not in settings.accounts:
            hint = did_you_mean(alarm.account, settings.accounts)
            told.append(("account", "unknown-account", f'there is no account "{alarm.account}".{hint}'))
        found += [
            Problem(
                file=main.name,
                line=main.line(("alarm", index, key)),
                code=code,
                message=f'alarm "{alarm.name}": {text}',
            )
            for key, code, text in told
        ]
    return tuple(found)
