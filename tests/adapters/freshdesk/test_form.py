"""The four shapes of `choices`."""

from typing import Any

import pytest

from adapters.freshdesk.form import Form, form, labels


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (["Question", "Incident"], {}),
        ({"Email": 1, "Portal": 2}, {1: "Email", 2: "Portal"}),
        ({"2": ["Open", "Being Processed"], "8": ["In the lab", ""]}, {2: "Open", 8: "In the lab"}),
        ([{"label": "A", "choices": [{"label": "B"}]}], {}),
        ({"Country": {"State": ["City"]}}, {}),
        ({"2": []}, {}),
        ({"2": "Open"}, {2: "Open"}),
        ({"12": 3}, {3: "12"}),
        ({"Yes": True}, {}),
        (None, {}),
        ("Open", {}),
    ],
)
def test_labels_by_number(choices: Any, expected: dict[int, str]) -> None:
    assert dict(labels(choices)) == expected


def test_a_form_names_its_fields_statuses_and_sources() -> None:
    found = form(
        [
            {"name": "status", "choices": {"2": ["Offen", "In Arbeit"], "6": ["Wartet", "Wartet"]}},
            {"name": "source", "choices": {"Kiosk": 101}},
            {"name": "cf_product", "choices": ["X100"]},
            {"id": 5},
        ]
    )
    assert (found.status_name(2), found.status_name(5), found.status_name(77)) == (
        "Offen",
        "Closed",
        "status_77",
    )
    assert found.sources == {101: "Kiosk"}
    assert {"status", "cf_product"} <= found.names
    assert form([]) == Form()
