"""SLA targets out of `task_sla`. The columns on the task itself belong to an older engine and are not kept up.

`planned_end_time` is live while the target runs and stale while it rests; percentages lag behind and are not
read. Vendor sheet 2.6, https://www.servicenow.com/docs/r/it-service-management/r_TaskSLATable.html
"""

from collections.abc import Iterable

from adapters.servicenow.rows import OddValue, Row, instant, raw, text, truth
from policies.model import Metric, Stage, Target

COLUMNS = (
    "task", "stage", "active", "has_breached", "start_time", "planned_end_time", "sla.type", "sla.target",
)  # fmt: skip
NEEDED = ("stage", "start_time", "planned_end_time", "sla.target")
METRICS = {"response": Metric.FIRST_REPLY, "resolution": Metric.RESOLUTION}
STAGES = {
    "in_progress": Stage.ACTIVE,
    "breached": Stage.ACTIVE,  # the older engine's word for one that runs on
    "paused": Stage.PAUSED,
    "completed": Stage.ACHIEVED,
    "achieved": Stage.ACHIEVED,
}
ORDER = (Stage.ACTIVE, Stage.PAUSED, Stage.ACHIEVED, Stage.UNKNOWN)


def targets(rows: Iterable[Row]) -> tuple[Target, ...]:
    """One target a metric: what runs before what rests before what is over, and the earliest due of those.

    Agreements within the house (OLA) and with suppliers (UC) are nobody's promise to the requester. One that does
    not say what it measures may be either of those that no other row is: they are unknown. OddValue where what a
    promise is made of is hidden, or where none says what it measures.
    """
    promised = [
        row for row in rows if text(row, "sla.type") in ("SLA", "") and text(row, "stage") != "cancelled"
    ]
    for row in promised:
        lacking = [column for column in NEEDED if raw(row, column) is None]
        if lacking:
            raise OddValue(f"{', '.join(lacking)} is not shown")
    named = [row for row in promised if text(row, "sla.target") in METRICS]
    if promised and not named:
        raise OddValue("no SLA says whether it is about the response or the resolution")
    chosen: dict[Metric, Target] = {}
    for made in sorted(map(target, named), key=weight):
        chosen.setdefault(made.metric, made)
    if len(named) < len(promised):
        for metric in METRICS.values():
            chosen.setdefault(metric, Target(metric=metric, stage=Stage.UNKNOWN, due=None))
    return tuple(chosen.values())


def target(row: Row) -> Target:
    """One row. A target that runs without an end is not something to count on."""
    stage = STAGES.get(text(row, "stage"), Stage.UNKNOWN)
    due = None if stage is Stage.PAUSED else instant(row, "planned_end_time")
    if stage is Stage.ACTIVE and (due is None or truth(row, "active") is False):
        stage = Stage.UNKNOWN
    return Target(
        metric=METRICS[text(row, "sla.target")],
        stage=stage,
        due=due,
        start=instant(row, "start_time"),
        breached=truth(row, "has_breached") is True,
    )


def weight(each: Target) -> tuple[int, bool, int]:
    """Sort key. Of those that are over, one that was missed stays missed."""
    return ORDER.index(each.stage), each.stage is Stage.ACHIEVED and not each.breached, each.due or 0
