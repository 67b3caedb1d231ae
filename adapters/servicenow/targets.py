"""SLA targets out of `task_sla`. The columns on the task itself belong to an older engine and are not kept up.

`planned_end_time` is live while the target runs and stale while it rests; percentages lag behind and are not
read. Vendor sheet 2.6, https://www.servicenow.com/docs/r/it-service-management/r_TaskSLATable.html
"""

from collections.abc import Iterable

from adapters.servicenow.rows import Row, instant, text, truth
from policies.model import Metric, Stage, Target

COLUMNS = (
    "task", "stage", "active", "start_time", "planned_end_time", "sla.type", "sla.target",
)  # fmt: skip
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

    Agreements within the house (OLA) and with suppliers (UC) are nobody's promise to the requester.
    """
    promised = [
        row
        for row in rows
        if text(row, "sla.type") in ("SLA", "") and text(row, "sla.target") in METRICS
        if text(row, "stage") != "cancelled"
    ]
    chosen: dict[Metric, Target] = {}
    for made in sorted(map(target, promised), key=weight):
        chosen.setdefault(made.metric, made)
    return tuple(chosen.values())


def target(row: Row) -> Target:
    """One row. A target that runs without an end is not something to count on."""
    stage = STAGES.get(text(row, "stage"), Stage.UNKNOWN)
    due = None if stage is Stage.PAUSED else instant(row, "planned_end_time")
    if stage is Stage.ACTIVE and (due is None or truth(row, "active") is False):
        stage = Stage.UNKNOWN
    return Target(
        metric=METRICS[text(row, "sla.target")], stage=stage, due=due, start=instant(row, "start_time")
    )


def weight(each: Target) -> tuple[int, int]:
    """Sort key."""
    return ORDER.index(each.stage), each.due or 0
