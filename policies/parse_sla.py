"""Reads `[sla.NAME]`: targets by metric and priority, for helpdesks and plans that give none."""

from collections.abc import Mapping

from policies.model import Metric, Priority, Seconds
from policies.policy import SlaSpec
from policies.references import References
from policies.table import Table

TARGETS_EXAMPLE = '{ urgent = "1h", high = "4h" }'


def read_sla(name: str, table: Table, references: References) -> SlaSpec:
    """One table of targets."""
    table.only(("accounts", "calendar", *Metric))
    accounts = table.texts("accounts", '["acme"]')
    for index, account in enumerate(accounts or ()):
        table.among(("accounts", index), account, references.accounts, "unknown-account")
    calendar = table.text("calendar", '"support"')
    if calendar is not None:
        table.among("calendar", calendar, references.calendars, "unknown-calendar")
    metrics = [metric for metric in Metric if metric in table.values]
    if not metrics:
        table.report(
            (), "empty", f"the table has no target; write for example first_reply = {TARGETS_EXAMPLE}."
        )
    return SlaSpec(
        name=name,
        accounts=None if accounts is None else frozenset(accounts),
        calendar=calendar,
        targets={metric.value: read_targets(table, metric, calendar) for metric in metrics},
    )


def read_targets(table: Table, metric: Metric, calendar: str | None) -> Mapping[Priority, Seconds]:
    """A duration for each priority that has a target."""
    targets = table.table(metric)
    if targets is None:
        return {}
    targets.only(tuple(Priority))
    if not targets.values:
        table.report(metric, "empty", f"`{metric}` has no priority; write for example {TARGETS_EXAMPLE}.")
    spans = {priority: targets.seconds(priority, calendar) for priority in Priority}
    return {priority: span for priority, span in spans.items() if span is not None}
