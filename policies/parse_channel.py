"""Reads one `[channels.NAME]`: how and when a channel outside the helpdesk is spoken to. Its address is not read."""

from collections.abc import Collection, Mapping

from policies.policy import ChannelSpec
from policies.problems import did_you_mean
from policies.table import Table

CHANNEL_KEYS: Mapping[str, str] = {
    "url": 'Where it is, as apprise writes it, kept as a secret: "secret:NAME".',
    "template": "The template of its messages; a built sentence if not given.",
    "quiet": "Outside the hours of this calendar nothing is sent; what comes then waits until it opens.",
    "digest": "Of more than so many messages within this time, the rest is gathered into one.",
}


def read_channel(
    name: str, table: Table, templates: Collection[str], calendars: Collection[str]
) -> ChannelSpec:
    """One channel; what is wrong with it is noted."""
    table.only(CHANNEL_KEYS)
    above, within = read_digest(table)
    return ChannelSpec(
        name=name,
        template=read_named(table, "template", '"handoff"', templates, "templates"),
        quiet=read_quiet(table, calendars),
        digest_above=above,
        digest_within=within,
    )


def read_quiet(table: Table, calendars: Collection[str]) -> str | None:
    """`{ calendar = "leads-hours" }`."""
    quiet = table.table("quiet")
    if quiet is None:
        return None
    quiet.only(("calendar",))
    if not quiet.require("calendar", '"leads-hours"'):
        return None
    return read_named(quiet, "calendar", '"leads-hours"', calendars, "calendars")


def read_digest(table: Table) -> tuple[int, int]:
    """`{ above = 5, within = "10m" }`."""
    digest = table.table("digest")
    if digest is None:
        return 0, 0
    digest.only(("above", "within"))
    above = digest.whole("above", 1, 1_000) if digest.require("above", "5") else None
    within = digest.seconds("within", None) if digest.require("within", '"10m"') else None
    if within == 0:
        digest.report("within", "out-of-range", "`within` must be longer than nothing.")
    return (above, within) if above and within else (0, 0)


def read_named(table: Table, key: str, example: str, known: Collection[str], where: str) -> str | None:
    """The name of a template or calendar."""
    name = table.text(key, example)
    if name is not None and name not in known:
        hint = did_you_mean(name, known) or f" Add [{where}.{name}]."
        table.report(key, f"unknown-{where[:-1]}", f'there is no {where[:-1]} "{name}".{hint}')
    return name
