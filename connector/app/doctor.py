"""What `uptier doctor` asks: each helpdesk, the clocks, the database, the channels, this machine and the outside
address. What is not well says what to do about it."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.request import getproxies

import httpx

from adapters.base import Census, Finding, HelpdeskError, Limit
from adapters.http import clean
from connector.app.compose import addresses, open_desk, spoken_to
from connector.app.databases import open_database
from connector.clock import TELLING, SystemClock
from connector.clock import said as told_skew
from connector.config.secrets import SecretError, Secrets
from connector.config.settings import AccountSettings, Settings
from connector.config.values import vendors
from connector.intake.receiver import KNOCK
from connector.notify.sender import NoAddress, NotSent, Speaker
from connector.render import many
from connector.report.calls import DAY, OPEN_TICKETS, census_of, widest
from connector.store import accounts, fleet, holds, inbox, tickets
from connector.store.database import Store, database_skew
from connector.store.opening import file_of
from connector.store.sqlite import holder
from connector.store.trouble import NoDatabase, StoreTrouble
from policies.language.document import listed
from policies.language.policy import PolicySet
from policies.language.references import KnownAccount
from policies.model import Directory, Instant, Need, Seconds, spell
from policies.rules.assignment import lacking
from policies.rules.observe import reads_of

ANSWERS_WITHIN = 10.0
"""Real seconds for an answer."""

NOBODY = {502, 503, 504}


def ask_outside(settings: Settings, *, runs: bool = True) -> list[tuple[str, Finding]]:
    """Findings about `[service] outside`; where webhooks are set up and no such address is named, that is not seen.
    Where nobody answers while no Uptier `runs` yet, nothing is wrong with the address."""
    hooks = [name for name, account in settings.accounts.items() if account.webhook]
    if settings.service.outside is None:
        text = "no `[service] outside` is named, so whether webhooks find the way here was not tried"
        return [("outside", Finding(what="address", ok=False, unseen=True, text=text))] if hooks else []
    with httpx.Client(
        base_url=settings.service.outside, timeout=ANSWERS_WITHIN, headers={"User-Agent": KNOCK}
    ) as client:
        front = _answer(client, "GET", "/")
        if isinstance(front, str) and not runs:
            text = "nothing runs yet: start `uptier run`, and ask again"
            return [("outside", Finding(what="address", ok=False, hint=True, text=text))]
        said = (_console(front), *(_webhook(client, name) for name in hooks))
    return [("outside", Finding(what=what, ok=why is None, text=why or well)) for what, well, why in said]


Said = tuple[str, str, str | None]
"""What was asked, what is said if all is well, and what is wrong."""


def _console(answer: httpx.Response | str) -> Said:
    return "console", "asks for a login", next(_wrong_page(answer), None)


def _wrong_page(answer: httpx.Response | str) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif answer.status_code == 200:
        yield "a page is shown without a login; what stands at this address is no Uptier, or not this one"
    elif answer.status_code == 403:
        yield "the console does not know this name; the proxy must pass `Host` on"
    elif answer.is_redirect and answer.headers["location"] != "/login":
        yield f"it leads to {answer.headers['location'][:100]}; name that address as `outside`"
    elif not answer.is_redirect:
        yield f"it answers {answer.status_code}; the proxy must lead to the address of `listen`"


def _webhook(client: httpx.Client, account: str) -> Said:
    answer = _answer(client, "POST", f"/hooks/{account}")
    what = f"webhook of {account}"
    if isinstance(answer, str):
        return what, "", answer
    if answer.status_code == 401 and "not authentic" in answer.text:
        return what, "asks for a signature", None
    if answer.status_code == 202:
        return what, "", "it took a webhook that nobody signed; what stands there is not this Uptier"
    return (
        what,
        "",
        f"it answers {answer.status_code}; the proxy must lead /hooks/ to the address of `listen`",
    )


def _answer(client: httpx.Client, method: str, path: str) -> httpx.Response | str:
    """The answer, or why there is none."""
    try:
        answer = client.request(method, path, content=b"{}" if method == "POST" else None)
    except httpx.HTTPError as error:
        certificate = ", and is its certificate good" if client.base_url.scheme == "https" else ""
        return f"no answer: {error}; does the name lead to the proxy{certificate}?"
    if answer.status_code in NOBODY:
        return f"it answers {answer.status_code}; does `uptier run` run, and does the proxy lead to its `listen`?"
    return answer


WITHIN = 10.0
"""Real seconds for an answer."""

CAUSES = (
    (
        r"WRONG_VERSION|record layer|packet length|HTTP_REQUEST",
        "nothing speaks TLS there; see the port, or http://",
    ),
    (
        r"CERTIFICATE_VERIFY",
        "its certificate is not good for this machine; see the name, and the CA of your proxy",
    ),
    (
        r"[Nn]ame|nodename|getaddrinfo|[Nn]o address",
        "no such host is known here; see its spelling and this machine's DNS",
    ),
    (r"refused", "nothing listens there; see the port, and whether a firewall is between"),
    (r"[Tt]imed out|Timeout", "no answer in time; see whether a firewall or a proxy is between"),
)
"""What an error's text means, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the database knows of an account: how many tickets were open at its last census, None before one, how many
    requests the last day's took, and when a webhook last came in."""

    open_tickets: int | None = None
    census_took: int = 0
    last_webhook: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found, each about an account, a channel, the database, the outside address or this machine; and the
    directories that were read."""

    findings: tuple[tuple[str, Finding], ...]
    directories: Mapping[str, Directory]


def examine(
    settings: Settings, policies: PolicySet, secrets: Secrets, account: str | None = None
) -> Examined:
    """All findings; with `account`, those about that one alone. Each helpdesk is asked everything once."""
    found: list[tuple[str, Finding]] = []
    directories: dict[str, Directory] = {}
    if account is None:
        found += [("this machine", each) for each in of_machine(settings)]
    store, trouble = opened(settings, secrets)
    with closing(store) if store else nullcontext():
        runs = is_running(settings, store)
        known = remembered(store, settings) if store else {}
        for name in settings.accounts if account is None else (account,):
            check = Checkup(name=name, settings=settings, policies=policies, secrets=secrets)
            found += [(name, each) for each in check.findings(known.get(name, Remembered()))]
            if check.directory is not None:
                directories[name] = check.directory
        if account is None:
            used = spoken_to(policies, settings)
            for name in sorted(settings.channels):
                one = of_channel(name, settings, secrets)
                found.append((f"channel {name}", one if name in used else replace(one, hint=True)))
            found += [("database", each) for each in (*trouble, *(of_store(store) if store else ()))]
        found += set_aside(store, settings, account) if store else ()
    if account is None:
        found += ask_outside(settings, runs=runs)
    return Examined(
        findings=tuple((about, replace(one, text=clean(one.text))) for about, one in found),
        directories=directories,
    )


@dataclass(kw_only=True)
class Checkup:
    """One account, asked everything once. `directory` is there once it was read."""

    name: str
    settings: Settings
    policies: PolicySet
    secrets: Secrets
    directory: Directory | None = None

    def findings(self, known: Remembered) -> Iterator[Finding]:
        """Whether the helpdesk can be reached, its clock, what it says of our access and of itself, its limits, and
        the names it does not have."""
        said = self.settings.accounts[self.name]
        try:
            skew = knock(said.url)
        except httpx.HTTPError as error:
            yield Finding(what="access", ok=False, text=f"{said.url}: {why(error)}", fatal=True)
            return
        if skew is not None:
            yield Finding(what="clock", ok=abs(skew) <= TELLING, text=told_skew(skew))
        else:
            yield Finding(what="clock", ok=False, unseen=True, text="its answers tell no time")
        try:
            desk = open_desk(self.name, self.settings, SystemClock(), self.secrets)
            found = [placed(each, said) for each in desk.adapter.probe(reads_of(self.policies, self.name))]
            yield from (self.meaning(each) for each in found)
            if any(not each.ok and (each.fatal or each.what == "access") for each in found):
                return
            yield from of_limits(desk.budget.told(), said, known)
            yield from of_deliveries(said, known)
            self.directory = desk.adapter.directory()
        except HelpdeskError as error:
            yield Finding(
                what="names", ok=False, text=f"{said.url}: groups and people cannot be read: {error}"
            )
        except (SecretError, ValueError) as error:
            yield Finding(what="access", ok=False, text=str(error), fatal=True)
        else:
            yield of_people(self.directory)
            for lack in lacking(self.policies, self.name, KnownAccount.of(self.directory)):
                yield Finding(what="names", ok=False, text=lack.said)

    def meaning(self, finding: Finding) -> Finding:
        """The finding; of what this plan or our rights do not give, with the policies that go by it; and where it sends
        to `connect`, with what that needs first."""
        if not finding.ok and "`uptier connect" in finding.text and self.settings.service.outside is None:
            first = 'Before that, write under [service] where it reaches us: outside = "https://YOUR-UPTIER-HOST".'
            finding = replace(finding, text=f"{finding.text} {first}")
        need = GONE_WITHOUT.get(finding.what)
        if finding.ok or need is None:
            return finding
        names = [f'"{each.name}"' for each in self.policies.serving(self.name) if need in each.needs]
        if not names:
            return finding
        return replace(finding, text=f"{finding.text} It concerns {listed(names, 'and')}.")


GONE_WITHOUT = {"sla targets": Need.TARGETS, "journal": Need.MESSAGES, "audit": Need.CHANGES}
"""What policies ask for that is not there where such a finding is not well."""


def of_people(directory: Directory) -> Finding:
    """How many groups and people there are, and which names are not unique. An adapter calls groups of one name
    NAME (ID)."""
    twice = sorted(
        {
            each.name.removesuffix(f" ({each.id})")
            for each in directory.groups
            if each.name.endswith(f"({each.id})")
        }
    )
    if twice:
        text = f"Several groups are named {', '.join(twice)}; policies must say NAME (ID), or rename one."
        return Finding(what="groups", ok=False, text=text, hint=True)
    if not directory.groups:
        text = "No group is shown to Uptier's user. Make one, or let that user see them."
        return Finding(what="groups", ok=False, text=text)
    text = f"{many(len(directory.groups), 'group')}, {many(len(directory.agents), 'person', 'people')}"
    calls = f"; {len(directory.on_call)} have somebody on call" if directory.on_call else ""
    return Finding(what="groups", ok=True, text=f"{text}{calls}.")


def of_limits(limits: tuple[Limit, ...], said: AccountSettings, known: Remembered) -> Iterator[Finding]:
    """The plan's limits as its answers told them, and how long a census takes within our share of them."""
    vendor = vendors().get(said.adapter)
    whole = widest(limits)
    if whole is None:
        text = "its answers tell no limit of requests, so none is kept to; a 429 is obeyed"
        yield Finding(what="limits", ok=False, unseen=True, text=text)
    else:
        plan = vendor.plans.get(whole.total) if vendor else None
        ours = max(1, int(whole.total * said.budget))
        text = f"{whole.total} requests in {spell(whole.window)}"
        text += f" (as on {plan})" if plan else ""
        yield Finding(what="limits", ok=True, text=f"{text}; ours at most {ours} (`budget`).")
    if known.open_tickets is None:
        text = "how many tickets are open is not known before a round; `uptier run --once` makes one"
        yield Finding(what="census", ok=False, unseen=True, text=text)
        return
    cost = vendor.census if vendor else Census()
    requests, seconds = census_of(known.open_tickets, limits, said.budget, cost, known.census_took)
    time = f", {spell(seconds)} within our share" if seconds is not None else ""
    text = f"{many(known.open_tickets, 'open ticket')}: about {many(requests, 'request')}{time}."
    if cost.of_all:
        text += " Closed tickets stand in its list too, and count."
    yield Finding(what="census", ok=True, text=text)


def of_deliveries(said: AccountSettings, known: Remembered) -> Iterator[Finding]:
    """When a webhook last came in here."""
    if not said.webhook:
        return
    if known.last_webhook is None:
        text = (
            "none has come in yet. Change a ticket while `uptier run` runs, and ask again; the helpdesk's own log of "
            "its webhooks tells why it sends none"
        )
        yield Finding(what="last webhook", ok=False, unseen=True, text=text)
        return
    now = SystemClock().now()
    text = f"the last one came in {spell(max(0, now - known.last_webhook))} ago."
    if now - known.last_webhook > DAY:
        text += (
            " If tickets have changed since, see the helpdesk's own log of its webhooks; polling finds them."
        )
        yield Finding(what="last webhook", ok=False, hint=True, text=text)
    else:
        yield Finding(what="last webhook", ok=True, text=text)


def of_machine(settings: Settings) -> Iterator[Finding]:
    """This machine's way out, and whether the address to listen on is free."""
    if kinds := proxies():
        text = (
            f"the environment names a proxy for {listed(kinds, 'and')}. Uptier goes to helpdesks without it, "
            "so this machine must be let out to them directly, port 443; messages to channels go through it"
        )
        yield Finding(what="proxy", ok=False, hint=True, text=text)
    path = file_of(settings.service.database)
    runs = None if path is None else holder(path)
    host, port = settings.service.address
    if runs is not None:
        yield Finding(what="listen", ok=True, text=f"process {runs} is an Uptier on this database.")
    elif port:
        yield of_port(host, port)


def is_running(settings: Settings, store: Store | None) -> bool:
    """Whether an Uptier works on this database: on a file its lock tells, on a server what the processes say of
    themselves; of a server that does not answer it is not known, and taken to be so."""
    path = file_of(settings.service.database)
    if path is not None:
        return holder(path) is not None
    if store is None:
        return True
    with store.reading() as connection:
        return any(not one.silent for one in fleet.others(connection, "", SystemClock().now()))


def of_port(host: str, port: int) -> Finding:
    """Whether one could listen there."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except OSError as error:
        step = {
            errno.EADDRINUSE: "another program has it; end that, or name another port in `listen`",
            errno.EACCES: "a port below 1024 needs rights; name a higher one in `listen`",
            errno.EADDRNOTAVAIL: "this machine has no such address; name one that it has in `listen`",
        }.get(error.errno or 0, "name another address in `listen`")
        return Finding(what="listen", ok=False, text=f"{host}:{port}: {error.strerror}; {step}")
    return Finding(what="listen", ok=True, text=f"{host}:{port} is free.")


def opened(settings: Settings, secrets: Secrets) -> tuple[Store | None, tuple[Finding, ...]]:
    """The database, or why there is none."""
    try:
        return open_database(settings, secrets), ()
    except NoDatabase:
        text = "there is none yet; `uptier run --once` makes it"
        return None, (Finding(what="access", ok=False, unseen=True, text=text),)
    except (StoreTrouble, SecretError) as trouble:
        return None, (Finding(what="access", ok=False, text=str(trouble)),)


def remembered(store: Store, settings: Settings) -> Mapping[str, Remembered]:
    """What the database knows of each account."""
    day_ago = SystemClock().now() - DAY
    with store.reading() as connection:
        counted = {one.name for one in accounts.every(connection) if one.census_at is not None}
        return {
            name: Remembered(
                open_tickets=tickets.count_open(connection, name) if name in counted else None,
                census_took=fleet.sent_by_purpose(connection, name, day_ago).get(OPEN_TICKETS, 0),
                last_webhook=inbox.last_webhook(connection, name),
            )
            for name in settings.accounts
        }


def of_store(store: Store) -> Iterator[Finding]:
    """That it answers, and a server's clock."""
    where = f"the file {store.path}" if store.path is not None else "the server answers"
    yield Finding(what="access", ok=True, text=f"{where}, with the tables of this version.")
    if store.path is None:
        skew = database_skew(store, SystemClock())
        yield Finding(what="clock", ok=abs(skew) <= TELLING, text=told_skew(skew))


def set_aside(store: Store, settings: Settings, account: str | None) -> Iterator[tuple[str, Finding]]:
    """What a running service has set aside of whole accounts: feeds that are refused to it, deliveries that it
    refused; and accounts that are paused."""
    with store.reading() as connection:
        known = holds.every_aside(connection)
        paused = [one for one in accounts.every(connection) if one.paused_at is not None]
    asked = settings.accounts if account is None else (account,)
    for one in known:
        if not one.ticket and one.account in asked:
            yield one.account, Finding(what=one.kind, ok=False, text=one.why, hint=one.kind == "webhooks")
    for each in paused:
        if each.name in asked:
            runs = (
                store.path is None or holder(store.path) is not None
            )  # a server does not tell who runs on it
            again = (
                "A running Uptier tries again by itself"
                if runs
                else "No Uptier runs here: `uptier run --once` tries"
            )
            text = f"{each.paused_reason}. {again}, and goes on once that is mended"
            yield each.name, Finding(what="paused", ok=False, text=text)


def placed(finding: Finding, account: AccountSettings) -> Finding:
    """The finding; where we have no access, with the address that was asked and the next step."""
    if finding.ok or not (finding.fatal or finding.what == "access"):
        return finding
    text = f"{account.url}: {finding.text}"
    if finding.what == "access":
        text += f"; see whether that is the address of your own {account.adapter}, as its agents open it"
    return Finding(what=finding.what, ok=False, text=text, fatal=finding.fatal)


def knock(address: str) -> Seconds | None:
    """By how much the clock there is ahead of ours; None if it does not tell. Raises HTTPError where nobody
    answers. Nothing secret is sent."""
    clock = SystemClock()
    with httpx.Client(timeout=WITHIN, trust_env=False) as client:  # as adapters do
        before = clock.now()
        answer = client.head(address)
        ours = (before + clock.now()) // 2
    try:
        return int(parsedate_to_datetime(answer.headers.get("date", "")).timestamp()) - ours
    except ValueError:
        return None


def why(error: httpx.HTTPError) -> str:
    """The cause of an error, and the next step."""
    cause = error.__cause__ or error
    inner = cause.__context__ if isinstance(cause.__context__, ssl.SSLError) else None
    text = str(error) or type(error).__name__
    everything = f"{type(error).__name__} {text} {inner or ''}"
    step = next(
        (step for words, step in CAUSES if re.search(words, everything)), "see whether the address is right"
    )
    return f"{text}; {step}{past_proxies()}"


def past_proxies() -> str:
    """What is said beside a helpdesk that does not answer, where this machine is told to go out by a proxy."""
    if not proxies():
        return ""
    return ". This machine's environment names a proxy, which is not used towards helpdesks: let it out to that host"


def proxies() -> list[str]:
    """The kinds of addresses for which the environment names a proxy."""
    return sorted(getproxies().keys() & {"http", "https", "all"})


def of_channel(name: str, settings: Settings, secrets: Secrets) -> Finding:
    """Whether a channel's address can be used and reached, as far as can be told without a message."""
    try:
        text = Speaker(addresses(settings), secrets.get).tried(name)
    except NoAddress as error:
        return Finding(what="address", ok=False, text=str(error))
    except NotSent as error:
        return Finding(
            what="address", ok=False, text=f"{error}; try `uptier notify test {name}` once it is mended"
        )
    return Finding(what="address", ok=True, text=f"{text}; `uptier notify test {name}` sends a message")
