"""What `uptier check --online` asks: each helpdesk, the clocks, the database, the channels and the outside
address."""

import re
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from adapters.base import Finding, HelpdeskError
from adapters.http import clean
from connector.app.compose import addresses, open_desk, spoken_to
from connector.app.databases import open_database
from connector.clock import TELLING, SystemClock, said
from connector.config.secrets import SecretError, Secrets
from connector.config.settings import AccountSettings, Settings
from connector.notify.sender import NoAddress, NotSent, Speaker
from connector.store import holds
from connector.store.database import Store, database_skew
from connector.store.trouble import NoDatabase, StoreTrouble
from policies.language.policy import PolicySet
from policies.language.references import KnownAccount
from policies.model import Seconds
from policies.rules.assignment import lacking
from policies.rules.observe import reads_of

ANSWERS_WITHIN = 10.0
"""Real seconds for an answer."""

NOBODY = {502, 503, 504}


def ask_outside(settings: Settings) -> list[dict[str, Any]]:
    """Findings about `[service] outside`, as about an account; none if no such address is named."""
    if settings.service.outside is None:
        return []
    hooks = [name for name, account in settings.accounts.items() if account.webhook]
    with httpx.Client(base_url=settings.service.outside, timeout=ANSWERS_WITHIN) as client:
        said = (_console(client), *(_webhook(client, name) for name in hooks))
    return [
        {"account": "outside", "what": what, "ok": why is None, "text": why or well, "fatal": True}
        for what, well, why in said
    ]


Said = tuple[str, str, str | None]
"""What was asked, what is said if all is well, and what is wrong."""


def _console(client: httpx.Client) -> Said:
    answer = _answer(client, "GET", "/")
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
        return f"no answer: {error}; does the name lead to the proxy, and is its certificate good?"
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


def ask_all(settings: Settings, policies: PolicySet, secrets: Secrets) -> list[dict[str, Any]]:
    """All findings, as rows for the command. `fatal` says that one that is not well needs a human."""
    found: list[tuple[str, Finding]] = []
    for name in settings.accounts:
        found += [(name, each) for each in of_account(name, settings, policies, secrets)]
    used = spoken_to(policies, settings)
    for name in sorted(settings.channels):
        one = of_channel(name, settings, secrets)
        found.append((f"channel {name}", one if name in used else replace(one, hint=True)))
    found += of_database(settings, secrets)
    rows = [
        {"account": account, "what": one.what, "ok": one.ok, "text": clean(one.text), "fatal": not one.hint}
        for account, one in found
    ]
    return [*rows, *ask_outside(settings)]


def of_account(name: str, settings: Settings, policies: PolicySet, secrets: Secrets) -> Iterator[Finding]:
    """Whether the helpdesk can be reached, its clock, what it says of our access, and the names it does not have."""
    address = settings.accounts[name].url
    try:
        skew = knock(address)
    except httpx.HTTPError as error:
        yield Finding(what="access", ok=False, text=f"{address}: {why(error)}", fatal=True)
        return
    if skew is not None:
        yield Finding(what="clock", ok=abs(skew) <= TELLING, text=said(skew))
    try:
        adapter = open_desk(name, settings, SystemClock(), secrets).adapter
        findings = [placed(each, settings.accounts[name]) for each in adapter.probe(reads_of(policies, name))]
        yield from findings
        if any(not each.ok and (each.fatal or each.what == "access") for each in findings):
            return
        for each in lacking(policies, name, KnownAccount.of(adapter.directory())):
            text = f'policy "{each.policy}", level "{each.level}": {each.why}'
            yield Finding(what="names", ok=False, text=text)
    except HelpdeskError as error:
        text = f"{address}: groups and people cannot be read: {error}"
        yield Finding(what="names", ok=False, text=text)
    except (SecretError, ValueError) as error:
        yield Finding(what="access", ok=False, text=str(error), fatal=True)


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
    with httpx.Client(timeout=WITHIN) as client:
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
    return f"{text}; {step}"


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


def of_database(settings: Settings, secrets: Secrets) -> Iterator[tuple[str, Finding]]:
    """The database's clock, and what a running service has set aside of whole accounts: feeds that are refused to it,
    deliveries that it refused. Nothing where no database is yet."""
    try:
        store = open_database(settings, secrets)
    except NoDatabase:
        return
    except StoreTrouble as trouble:
        yield "database", Finding(what="access", ok=False, text=str(trouble))
        return
    with closing(store):
        yield from _clock_of(store)
        with store.reading() as connection:
            known = holds.every_aside(connection)
    for one in known:
        if not one.ticket and one.account in settings.accounts:
            yield one.account, Finding(what=one.kind, ok=False, text=one.why, hint=one.kind == "webhooks")


def _clock_of(store: Store) -> Iterator[tuple[str, Finding]]:
    if store.path is None:
        skew = database_skew(store, SystemClock())
        yield "database", Finding(what="clock", ok=abs(skew) <= TELLING, text=said(skew))
