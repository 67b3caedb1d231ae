"""What a single value of the config may be, and which helpdesks can be named in it."""

from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from adapters.base import Keys, Vendor
from connector.config.secrets import PREFIX, secret_name
from connector.report.figures import MEASURES
from policies import model
from policies.language.document import Document, Problem, did_you_mean, listed
from policies.language.reader import Table
from policies.model import Seconds, Status

SQLITE = "sqlite:///"
POSTGRES_NEXT = '"postgresql://uptier@db.example/uptier"'
DAY: Seconds = 86400
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (a service that listens on it, not we)
URL_NEXT = '`url` is no address of a helpdesk; write for example "https://helpdesk.example".'


def fault(code: str, text: str) -> PydanticCustomError:
    """An error of a validator, with the code and the text that the Problem will have."""
    return PydanticCustomError(code, "{text}", {"text": text})


def is_loopback(host: str) -> bool:
    """Whether a URL's host can only be this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def helpdesk_url(text: str) -> str:
    """An address without credentials, path ends trimmed; https, or http to this machine."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise fault("bad-url", URL_NEXT) from None
    if parts.username is not None or parts.password is not None:
        raise fault("plain-secret", "`url` holds a user or password; put them into `auth`.")
    if not host or parts.query or parts.fragment or parts.scheme not in {"http", "https"}:
        raise fault("bad-url", URL_NEXT)
    if parts.scheme == "http" and not is_loopback(host):
        raise fault("bad-url", "`url` begins with http://, which others can read; write https://.")
    return text.rstrip("/")


def outside_url(text: str) -> str:
    """The address under which people and helpdesks come: https and nothing behind the name, or http to this machine."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if (
        not host
        or parts.scheme not in {"http", "https"}
        or (parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None)
    ):
        raise fault("bad-url", '`outside` is no address; write for example "https://uptier.example".')
    if parts.scheme == "http" and not is_loopback(host):
        raise fault(
            "bad-url", "`outside` begins with http://, where others can read passwords; write https://."
        )
    return text.rstrip("/")


def issuer_url(text: str) -> str:
    """The issuer, letter for letter as its tokens name it; https, or http to this machine."""
    try:
        helpdesk_url(text)
    except PydanticCustomError:
        raise fault(
            "bad-url",
            '`issuer` is no https address; write it as the provider does, for example "https://login.example".',
        ) from None
    return text


def proxy_addresses(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses and networks of proxies; never all there are."""
    for text in texts:
        try:
            network = ip_network(text)
        except ValueError:
            raise fault(
                "bad-address",
                f'`proxies`: "{text}" is no address of a proxy; write for example "127.0.0.1" or "10.0.0.0/24".',
            ) from None
        if network.prefixlen == 0:
            raise fault("bad-address", f'`proxies`: "{text}" is everybody; name the proxy alone.')
    return texts


def reference(text: str) -> str:
    """`secret:NAME`. What is written instead is never shown: it may be the secret itself."""
    if not text.startswith(PREFIX):
        raise fault(
            "plain-secret",
            "`url` is itself a secret: whoever has it can write to the channel. Keep it with "
            '`uptier secret set NAME` and write here url = "secret:NAME".',
        )
    try:
        secret_name(text)
    except ValueError as error:
        raise fault("bad-secret", f"`url`: {error}.") from None
    return text


def database_url(text: str, info: ValidationInfo) -> str:
    """A SQLite address, whose relative path is made to stand beside the config file, or one of PostgreSQL."""
    if text.startswith("postgres"):
        return postgres_url(text)
    path = text.removeprefix(SQLITE)
    if path in {text, "", ":memory:"}:
        raise fault("bad-database", '`database` is a file; write for example "sqlite:///uptier.db".')
    file = Path((info.context or {})["folder"]) / path
    if not file.parent.is_dir():
        raise fault(
            "no-directory", f"`database` would be in {file.parent}, which is no directory; create it first."
        )
    return f"{SQLITE}{file}"


def postgres_url(text: str) -> str:
    """postgresql://USER@HOST/NAME, without a password."""
    try:
        parts = urlsplit(text)
        _, password = parts.port, parts.password
    except ValueError:
        raise fault("bad-database", f"`database` is no address; write for example {POSTGRES_NEXT}.") from None
    if password is not None or "password=" in parts.query:
        raise fault(
            "plain-secret",
            "`database` holds a password; keep it with `uptier secret set NAME` and write database_password = "
            '"secret:NAME".',
        )
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise fault("bad-database", f"`database` names no database; write for example {POSTGRES_NEXT}.")
    return text


def known_adapter(text: str) -> str:
    """An adapter that is installed."""
    names = entries("uptier.adapters")
    if text not in names:
        hint = did_you_mean(text, names) or f" Installed: {listed(names, 'and')}."
        raise fault("unknown-value", f'`adapter` says "{text}", which is not installed.{hint}')
    return text


def interval(value: object) -> Seconds:
    """A duration of at least ten seconds; helpdesks count requests."""
    return duration(value, "`poll`", "60s", at_least="10s")


def alarm_window(value: object) -> Seconds:
    """How far back an alarm looks: an hour to 31 days, so that what is read stays bounded."""
    span = duration(value, "`within`", "24h", at_least="1h")
    if span > 31 * DAY:
        raise fault("out-of-range", f'`within` says "{value}"; write 31d or less.')
    return span


def alarm_pace(value: object) -> Seconds:
    """How often an alarm is looked at."""
    return duration(value, "`every`", "15m", at_least="5m")


def known_figure(value: str) -> str:
    """A figure's name as `uptier report --format json` has it."""
    if value not in MEASURES:
        hint = did_you_mean(value, MEASURES) or f" Known: {listed(sorted(MEASURES))}."
        raise fault("unknown-figure", f'there is no figure "{value}".{hint}')
    return value


def figure_limit(name: str, figure: str, said: float | str | None) -> float:
    """The limit of an alarm in the figure's unit: seconds may be written as a duration, a share is 0 to 1."""
    unit = MEASURES[figure].unit
    if isinstance(said, str):
        if unit != "seconds":
            raise fault("wrong-type", f'alarm "{name}": `{figure}` is a {unit}; write a number.')
        return duration(said, f'alarm "{name}": the limit', "30m", at_least="0s")
    limit = float(said or 0)
    if unit == "share" and not 0 <= limit <= 1:
        raise fault(
            "out-of-range", f'alarm "{name}": `{figure}` is a share from 0 to 1; write 0.95 for 95 %.'
        )
    return limit


def kept_for(value: object) -> Seconds:
    """A duration of at least a day."""
    return duration(value, "retention", "30d", at_least="1d")


def duration(value: object, name: str, example: str, *, at_least: str) -> Seconds:
    """A duration in seconds. `name` is what an error calls the key."""
    if not isinstance(value, str):
        raise fault("wrong-type", f'{name} takes a duration as text, for example "{example}".')
    try:
        span = model.seconds(value)
    except ValueError as error:
        raise fault("bad-duration", f"{name}: {error}.") from None
    if span < model.seconds(at_least):
        raise fault("out-of-range", f'{name} says "{value}"; write {at_least} or more.')
    return span


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of an address that was checked."""
    parts = urlsplit(f"//{address}")
    return str(parts.hostname), int(parts.port or 0)


def listen_address(text: str) -> str:
    """HOST:PORT."""
    try:
        parts = urlsplit(f"//{text}")
        whole = parts.hostname and parts.port is not None and not parts.path and parts.username is None
    except ValueError:
        whole = False
    if not whole:
        raise fault("bad-address", f'"{text}" is no address; write HOST:PORT, for example "127.0.0.1:8080".')
    return text


def addresses(texts: frozenset[str]) -> frozenset[str]:
    """E-mail addresses, or `@domain` for everybody there."""
    for text in sorted(texts):
        if not text.rpartition("@")[2] or "@" not in text or " " in text:
            examples = '"cleo@initech.example" or "@initech.example"'
            raise fault("bad-address", f'"{text}" is no address; write for example {examples}.')
    return texts


def statuses_by_label(said: Mapping[str, Status]) -> Mapping[str, Status]:
    """The common status by the helpdesk's label or number of one; read-only. Capitals do not matter in a label, so
    two keys may not differ in them alone."""
    met: dict[str, str] = {}
    for label in said:
        if not label.strip():
            raise fault("bad-name", "`statuses` names an empty label; write the helpdesk's label or number.")
        if met.setdefault(label.casefold(), label) != label:
            other = met[label.casefold()]
            raise fault(
                "bad-name", f'`statuses` names "{other}" and "{label}", which are the same; keep one.'
            )
    return MappingProxyType(said)


def as_text(value: object) -> object:
    """A vendor's id may be written as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def entries(group: str) -> Mapping[str, EntryPoint]:
    """What is installed under a group of entry points, by name in order. All packages are read for it, and once."""
    found = sorted(entry_points(group=group), key=lambda each: each.name)
    return MappingProxyType({each.name: each for each in found})


def vendors() -> Mapping[str, Vendor]:
    """The helpdesks that are installed, by name. One that describes nothing is not in it."""
    return {name: entry.load() for name, entry in entries("uptier.vendors").items()}


EXAMPLES = {"user": '"bot@acme.test"', "client_id": '"uptier"', "scope": '"read write"'}


def check_vendors(
    document: Document, vendors: Mapping[str, Vendor], common: Collection[str]
) -> tuple[Problem, ...]:
    """What is wrong with the accounts of the main file, by what their helpdesks need. `common` are the keys
    that every account may have. An account whose helpdesk describes nothing is not judged."""
    problems: list[Problem] = []
    root = Table(document=document, path=(), values=document.data, about="", problems=problems)
    for name, table in root.named("accounts") if isinstance(document.data.get("accounts"), dict) else ():
        account = table.called(f'account "{name}"')
        vendor = vendors.get(str(account.values.get("adapter")))
        if vendor is None:
            continue
        account.only((*common, *vendor.settings))
        check_auth(account, vendor)
        check_webhook(account, vendor)
    return tuple(problems)


def check_auth(account: Table, vendor: Vendor) -> None:
    """A kind of credentials that the helpdesk takes, with what belongs to it."""
    auth = account.table("auth")
    if auth is None:
        return
    kind = auth.values.get("kind")
    if not isinstance(kind, str) or kind not in vendor.auth:
        code = "missing" if kind is None else "unknown-value"
        said = "`kind` is missing" if kind is None else "`kind` is not known here"
        near = did_you_mean(kind, vendor.auth) if isinstance(kind, str) else ""
        auth.report("kind", code, f"{said}; write {listed(vendor.auth)}.{near}")
        return
    check_keys(auth, vendor.auth[kind], ("kind",), None, account)


def check_webhook(account: Table, vendor: Vendor) -> None:
    """One of the ways in which the helpdesk proves that a webhook is its own."""
    webhook = account.table("webhook")
    if webhook is None:
        return
    ways = [way for way in vendor.webhook if not set(webhook.values).isdisjoint(way.needed)]
    check_keys(webhook, (ways or list(vendor.webhook))[0], (), "webhook", account)


def check_keys(table: Table, keys: Keys, besides: tuple[str, ...], what: str | None, account: Table) -> None:
    """Each needed key is there, each key is known, and each is a text. A secret is called after the account and
    `what`, or after its key."""
    table.only((*besides, *keys.needed, *keys.also))
    for key in (*keys.needed, *keys.also):
        example = EXAMPLES.get(key, f'"secret:{account.path[-1]}-{what or key}"')
        if key in keys.needed:
            table.require(key, f"{key} = {example}")
        table.text(key, example)
