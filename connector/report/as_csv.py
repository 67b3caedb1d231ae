"""A report's figures as CSV: one row a figure, the whole first, then each cut. Seconds are numbers, shares 0 to 1."""

import csv
from collections.abc import Iterator
from io import StringIO

from connector.report.figures import Figure
from connector.report.making import Report

HEAD = (
    "from", "to", "timezone", "dimension", "name", "key", "measure", "unit", "clock", "value", "n", "hits",
    "low", "high", "p50", "p90", "p95", "cohort", "formula", "excluded", "notes", "untold",
)  # fmt: skip

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> str:
    """The rows, with a head."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(rows(report))
    return out.getvalue()


def rows(report: Report) -> Iterator[list[object]]:
    """The whole, then the cuts."""
    period = report.period
    said = [str(period.first), str(period.last), str(period.timezone)]
    for figure in report.figures:
        yield [*said, "all", "", *cells(figure)]
    for cut in report.cuts:
        for figure in cut.figures:
            yield [*said, cut.dimension, harmless(cut.name), *cells(figure)]


def cells(figure: Figure) -> list[object]:
    """One figure; what is not there stays empty."""
    measure = figure.measure
    numbers = (
        figure.value,
        figure.n,
        figure.hits,
        figure.low,
        figure.high,
        figure.p50,
        figure.p90,
        figure.p95,
    )
    return [
        figure.key,
        measure.name,
        measure.unit,
        figure.clock,
        *("" if each is None else each for each in numbers),
        measure.cohort,
        measure.formula,
        "; ".join(f"{count}: {why}" for why, count in figure.excluded),
        harmless("; ".join(figure.notes)),
        figure.untold,
    ]


def harmless(text: str) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
