"""The recipes of docs/policies.md: each policy block, and the life below it, to the minute."""

import re
from pathlib import Path

import pytest

from policies.model import Metric, Stage, Target, Who
from policies.plan import Plan
from policies.present.explain import traced
from tests.policies.lives import HEAD, Life, at

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"
RECIPE = re.compile(r"### (\d+\. .+?)\n.*?```toml\n(.*?)```.*?```life\n(.*?)```", re.DOTALL)
RECIPES = RECIPE.findall(PAGE.read_text(encoding="utf-8"))


def minutes(text: str) -> int:
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


class Story:
    """A life as the page tells it."""

    def __init__(self, policy: str, told: str) -> None:
        self.life = Life(policy, HEAD)
        self.steps = [(minutes(t), words) for t, words in (line.split(None, 1) for line in told.splitlines())]
        self.happened: list[tuple[int, str]] = []

    def expected(self) -> list[tuple[int, str]]:
        """What the page says that Uptier does."""
        return [(t, words) for t, words in self.steps if words.startswith(("fires ", "repeats "))]

    def play(self) -> list[tuple[int, str]]:
        """Facts at their minute, and a look there, around what is expected, and every half hour; what each sends."""
        facts = [(t, words) for t, words in self.steps if (t, words) not in self.expected()]
        around = {t + by for t, _ in self.steps for by in (-1, 0, 1)}
        for minute in range(max(t for t, _ in self.steps) + 61):
            if minute % 30 and minute not in around:
                continue
            for _, words in [each for each in facts if each[0] == minute]:
                self.fact(minute, words)
            before = len(self.life.writes)
            plan = self.life.look(minute)
            if len(self.life.writes) > before:
                self.happened.append((minute, sent(plan)))
        return self.happened

    def fact(self, minute: int, words: str) -> None:
        """One line that is not Uptier's."""
        match words.split():
            case ["customer", "writes"]:
                self.life.customer(minute)
            case ["agent", person, "replies" | "notes" as how]:
                self.life.agent(minute, person, public=how == "replies")
            case ["status", status] if minute == 0:
                self.life.with_fields(status=type(self.life.ticket.status)(status))
            case ["status", status]:
                self.life.change(minute, "status", status)
            case ["tags", tag]:
                self.life.with_fields(tags=frozenset({tag}))
            case ["assigned", "to", person, "by", by]:
                self.life.change(minute, "assignee", person, by, Who.AGENT)
            case ["target", metric, "due", due]:
                self.life.target(Target(metric=Metric(metric), stage=Stage.ACTIVE, due=at(minutes(due))))
            case ["nothing", *_]:
                pass
            case _:
                raise AssertionError(f"the page tells something that this test does not know: {words}")


def sent(plan: Plan) -> str:
    """`fires NAME` or `repeats NAME`."""
    fired = [line.name for line in traced(plan)[0].levels if line.state == "due"]
    if fired:
        return f"fires {fired[0]}"
    standing = plan.standings[0].episode
    assert standing is not None
    return f"repeats {standing.passed[-1].level}"


def test_there_are_ten() -> None:
    assert len(RECIPES) == 10


@pytest.mark.parametrize(("name", "policy", "told"), RECIPES, ids=[each[0] for each in RECIPES])
def test_a_recipe_does_what_the_page_says(name: str, policy: str, told: str) -> None:
    story = Story(policy, told)
    assert story.play() == story.expected()
