"""docs/reports.md says of every measure what the report says of it."""

from pathlib import Path

from connector.report.figures import MEASURES

PAGE = (Path(__file__).parents[3] / "docs" / "reports.md").read_text("utf-8")


def test_every_measure_is_on_its_page() -> None:
    rows = [f"| {each.name} (`{each.key}`) | {each.cohort} | {each.formula} |" for each in MEASURES.values()]
    assert [row for row in rows if row not in PAGE] == []
    assert PAGE.count("(`") == len(rows), "and no other"
