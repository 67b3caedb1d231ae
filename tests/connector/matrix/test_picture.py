"""The matrix as a picture: where each level stands in time, what is shaded, hatched and marked, and the PDF of it."""

from datetime import datetime

import pytest

from connector.matrix.picture import (
    LEFT,
    RIGHT,
    WIDTH,
    Box,
    CannotPrint,
    Panel,
    Said,
    Stroke,
    as_pdf,
    as_svg,
    panels,
    played,
)
from policies.language.policy import PolicySet
from policies.present.matrix import matrix
from tests.policies.lives import DIRECTORY, HEAD, rules

HOUR = 3600
BODY = """
[calendars.support]
timezone = "America/New_York"
hours = {{ mon-fri = ["08:00-12:00", "13:00-18:00"] }}
holidays = ["US"]
[calendars.day]
timezone = "America/New_York"
hours = {{ mon-fri = "09:00-17:00" }}
[sla.all]
next_reply = {{ urgent = "10h" }}
[[policy]]
name = "p"
clock = "{clock}"
{more}
[policy.when]
status = ["new"]
"""
LEVEL = """
[[policy.level]]
name = "{name}"
owner = "{owner}"
{when}
"""


def made(*levels: str, clock: str = "created", more: str = "") -> PolicySet:
    """A policy with these levels, each given by its time."""
    ladder = (LEVEL.format(name=f"L{at}", owner="Duty", when=when) for at, when in enumerate(levels, start=1))
    return rules(BODY.format(clock=clock, more=more) + "".join(ladder), HEAD)


def panel(policies: PolicySet) -> Panel:
    """The one panel of these policies."""
    (one,) = panels(matrix(policies, ("acme",), {"acme": DIRECTORY}), policies)
    return one


def moments(policies: PolicySet) -> list[str]:
    """When the levels of the one policy are due in its example."""
    example = played(policies.policies[0], policies)
    return [f"{datetime.fromtimestamp(at, example.zone):%a %H:%M}" for at in example.moments]


def texts(one: Panel) -> list[str]:
    return [each.text for each in one.shapes if isinstance(each, Said)]


def kinds(one: Panel, kind: str) -> list[Box | Stroke]:
    return [each for each in one.shapes if isinstance(each, Box | Stroke) and each.kind == kind]


@pytest.mark.parametrize(
    ("levels", "clock", "more", "when"),
    [
        (('after = "30m"', 'after = "10h"'), "created", 'calendar = "support"', ["Mon 08:30", "Tue 09:00"]),
        (('after = "30m"', 'after = "1h"\nclock = "since_last_level"'), "created", "", ["Mon 00:30", "Mon 01:30"]),
        (("at = 50", 'before = "2h"', 'after = "1h"'), "next_reply", "", ["Mon 05:00", "Mon 08:00", "Mon 11:00"]),
        (("at = 50",), "next_reply", 'calendar = "support"', ["Mon 14:00"]),
        (('after = "14h"\nwithin = "day"', 'after = "23h"'), "created", "", ["Tue 09:00", "Tue 08:00"]),
        (('after = "16h"\nwithin = "day"',), "created", "", ["Tue 09:00"]),
        (
            ('on = "fri 17:00"\nclock = "weekly"', 'on = "mon 08:00"\nclock = "weekly"'),
            "created",
            'calendar = "support"',
            ["Fri 17:00", "Mon 08:00"],
        ),
    ],
)  # fmt: skip
def test_a_level_stands_where_it_is_due(
    levels: tuple[str, ...], clock: str, more: str, when: list[str]
) -> None:
    assert moments(made(*levels, clock=clock, more=more)) == when


def test_time_is_to_scale_and_each_level_is_a_step_up() -> None:
    bars = kinds(panel(made('after = "1h"', 'after = "2h"', 'after = "5h"')), "bar")
    one, two, three = (each for each in bars if isinstance(each, Box))
    assert (one.width, two.width) == pytest.approx((RIGHT / 6 - LEFT / 6, RIGHT / 2 - LEFT / 2), abs=0.2)
    assert one.x + one.width == pytest.approx(two.x, abs=0.2)
    assert one.y > two.y > three.y


def test_nothing_reaches_over_the_edge() -> None:
    one = panel(made('after = "1m"', 'after = "30d"\nwithin = "day"'))
    for each in one.shapes:
        if isinstance(each, Box):
            assert each.x >= 0
            assert each.x + each.width <= WIDTH
            assert each.y + each.height <= one.height
        elif isinstance(each, Stroke):
            assert all(0 <= x <= WIDTH and 0 <= y <= one.height for x, y in each.points)
        else:
            assert 0 < each.y <= one.height


def test_open_hours_are_shaded_and_closed_ones_in_which_nobody_is_told_are_hatched() -> None:
    counted = panel(made('after = "10h"', more='calendar = "support"'))
    assert (
        len(kinds(counted, "open")) == 4 + 10
    )  # two stretches each on Monday and Tuesday; then the whole week
    assert not kinds(counted, "hatch")
    alone = panel(made('after = "16h"\nwithin = "day"'))
    assert kinds(alone, "hatch")
    assert "nobody-at-night: while" in " ".join(texts(alone))
    assert "hatched, L1 waits and nobody is told" in " ".join(texts(alone))
    other = panel(made('after = "16h"\nwithin = "day"\notherwise = { owner = "Duty" }'))
    assert not kinds(other, "hatch")


def test_a_long_silence_between_two_levels_is_named() -> None:
    assert "nothing for 1 day 20 h" in texts(panel(made('after = "4h"', 'after = "48h"')))
    assert not any("nothing for" in each for each in texts(panel(made('after = "4h"', 'after = "28h"'))))


def test_a_repeated_level_has_a_mark_for_each_time() -> None:
    level = 'after = "1h"\nnote = "handoff"\nrepeat = { every = "10m", times = 3 }'
    ticks = [each for each in kinds(panel(made(level, 'after = "4h"')), "riser") if isinstance(each, Stroke)]
    assert len(ticks) == 1 + 3


def test_accounts_on_which_a_policy_is_the_same_share_a_panel() -> None:
    policies = made('after = "1h"')
    found = matrix(policies, ("acme", "other"), {"acme": DIRECTORY, "other": DIRECTORY})
    assert [each.title for each in panels(found, policies)] == ["acme, other: p (enforce)"]
    unread = matrix(policies, ("acme", "other"), {"acme": DIRECTORY})
    assert len(panels(unread, policies)) == 2


def test_it_says_all_of_it_in_words_and_follows_light_and_dark() -> None:
    policies = made('after = "1h"')
    found = matrix(policies, ("acme",), {"acme": DIRECTORY})
    drawing = as_svg(found, policies)
    assert "<title>Escalation matrix</title>" in drawing
    assert "acme: p (enforce): 1. L1, after 1 h: Duty." in drawing.split("<desc>")[1].split("</desc>")[0]
    assert "@media screen and (prefers-color-scheme:dark)" in drawing


def test_a_pdf_has_a_page_for_what_does_not_fit_on_the_one_before() -> None:
    few = made('after = "1h"')
    many = made(*(f'after = "{hours}h"' for hours in range(1, 13)))
    sizes = []
    for policies in (few, many):
        found = matrix(policies, ("acme",), {"acme": DIRECTORY})
        sizes.append(as_pdf(found, policies).count(b"/Type /Page\n"))
    assert sizes == [1, 2]


def test_letters_that_no_font_has_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    body = BODY.format(clock="created", more="") + LEVEL.format(
        name="日本", owner="Duty", when='after = "1h"'
    )
    policies = rules(body, HEAD)
    found = matrix(policies, ("acme",), {"acme": DIRECTORY})
    monkeypatch.setattr("connector.matrix.picture.FONTS", ())
    with pytest.raises(CannotPrint, match='no font for "日"'):
        as_pdf(found, policies)
