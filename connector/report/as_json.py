"""A report as JSON, for a program: every value unrounded, seconds as seconds, instants as epoch seconds."""

import json
from dataclasses import asdict
from typing import Any

from connector.report.cutting import MEANINGS
from connector.report.figures import Figure
from connector.report.making import Report


def as_json(report: Report) -> str:
    """The whole report."""
    return json.dumps(document(report), indent=2) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The report as lists and tables."""
    period = report.period
    return {
        "from": str(period.first),
        "to": str(period.last),
        "timezone": str(period.timezone),
        "begin": period.begin,
        "end": period.end,
        "made": report.made,
        "accounts": list(report.accounts),
        "calendar": report.calendar or None,
        "hypothetical": report.hypothetical,
        "tickets": report.tickets,
        "figures": [figure(each) for each in report.figures],
        "cuts": [
            {"dimension": cut.dimension, "name": cut.name, "figures": [figure(each) for each in cut.figures]}
            for cut in report.cuts
        ],
        "dimensions": dict(MEANINGS),
        "causes": [asdict(each) for each in report.causes],
        "policies": [asdict(each) for each in report.policies],
        "stages": [asdict(each) for each in report.stages],
        "grain": report.grain,
        "trend": [asdict(each) | {"first": str(each.first), "last": str(each.last)} for each in report.trend],
        "heat": [list(row) for row in report.heat],
        "advice": [asdict(each) for each in report.advice],
        "notes": list(report.notes),
    }


def figure(one: Figure) -> dict[str, Any]:
    """One figure, its measure's words beside its numbers."""
    said = asdict(one)
    measure = said.pop("measure")
    lost = [{"why": why, "count": count} for why, count in one.excluded]
    return {**measure, "key": one.key, **said, "excluded": lost, "untold": one.untold or None}
