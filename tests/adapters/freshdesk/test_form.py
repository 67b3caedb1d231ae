"""The four shapes of `choices`."""

from typing import Any

import pytest

from adapters.freshdesk.form import Form, Meaning, form, labels, texts
from policies.model import Status
from tests.adapters.freshdesk.world import account


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


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (["X100", "X200"], ("X100", "X200")),
        (["X100", 5], ()),
        ([{"label": "A", "value": "a"}, {"label": "B"}], ("a", "B")),
        ({"Country": {"State": ["City"]}, "Other": {}}, ("Country", "Other")),
        ({"2": ["Open", "Open"]}, ()),
        ({"Low": 1}, ()),
        (None, ()),
    ],
)
def test_the_values_that_a_field_takes(choices: Any, expected: tuple[str, ...]) -> None:
    assert texts(choices) == expected


TIMED = {
    "name": "status",
    "id": 7,
    "choices": [
        {"id": 2, "label": "Offen", "stop_sla_timer": False},
        {"id": 6, "label": "Warten auf Kunden", "stop_sla_timer": True},
        {"id": 7, "label": "Im Labor", "stop_sla_timer": False},
        {"id": 9, "label": "On hold", "stop_sla_timer": True},
    ],
}
PLAIN = {"2": ["Offen", "x"], "6": ["Warten auf Kunden", "x"], "7": ["Im Labor", "x"], "9": ["On hold", "x"]}


def test_a_status_counts_as_its_timer_tells() -> None:
    found = form([TIMED])
    meant = [found.meaning(account(), number) for number in (2, 6, 7, 9)]
    assert [(each.status, each.how) for each in meant] == [
        (Status.OPEN, "built in"),
        (Status.PENDING, "timer"),
        (Status.OPEN, "timer"),
        (Status.ON_HOLD, "timer"),
    ]


def test_without_timers_own_statuses_are_guessed_and_the_settings_win() -> None:
    found = form([{"name": "status", "choices": PLAIN}])
    assert [found.meaning(account(), number) for number in (6, 7, 9, 10)] == [
        Meaning(status=Status.PENDING, how="guessed"),
        Meaning(status=Status.ON_HOLD, how="guessed"),
        Meaning(status=Status.OPEN, how="guessed"),
        Meaning(status=Status.OPEN, how="unknown"),
    ]
    said = account(
        statuses={"on HOLD": Status.CLOSED, "7": Status.OPEN, "Offen": Status.NEW, "10": Status.SOLVED}
    )
    assert [found.meaning(said, number).status for number in (9, 7, 2, 10)] == [
        Status.CLOSED,
        Status.OPEN,
        Status.NEW,
        Status.SOLVED,
    ]


def test_the_administrators_view_adds_the_timers() -> None:
    found = form([{"name": "status", "id": 7, "choices": PLAIN}], TIMED)
    assert found.timers == {2: False, 6: True, 7: False, 9: True}
    assert found.status_field == "7"


@pytest.mark.parametrize(
    "entries",
    [[None], [5], [{}], [{"name": 5}], [{"name": "status", "choices": [None, {"id": "x"}, {"id": 2}]}]],
)
def test_what_is_no_field_names_nothing(entries: list[Any]) -> None:
    found = form(entries)
    assert (found.statuses, found.choices, found.timers) == ({}, {}, {})


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
