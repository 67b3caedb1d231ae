"""What the installed adapters say of their helpdesks, and the keys of an account that depend on its helpdesk."""

from collections.abc import Collection, Mapping
from importlib.metadata import entry_points

from adapters.base import Keys, Vendor
from policies.language.document import Document, Problem, did_you_mean, listed
from policies.language.reader import Table


def vendors() -> Mapping[str, Vendor]:
    """The helpdesks that are installed, by name. One that describes nothing is not in it."""
    found = {entry.name: entry.load() for entry in entry_points(group="uptier.vendors")}
    return dict(sorted(found.items()))


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
