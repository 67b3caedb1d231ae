"""The demo's story, told on every simulated helpdesk at once: what happens, and what must come of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.simulation.demo import DemoDesk, Shown
from connector.clock import ShiftedClock

MINUTE = 60
HOUR = 3600
SUBJECTS = {"waits": "Nobody can log in", "left": "Test", "taken": "Invoices are wrong"}

Tell = Callable[[str], object]
Settled = Callable[[str, Callable[[], bool]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`settled` waits until the helpdesks show something and nothing is under way; False if it never happens."""

    desks: Sequence[DemoDesk]
    clock: ShiftedClock
    tell: Tell
    settled: Settled

    def play(self) -> bool:
        """From the first message to the answer; False as soon as something comes out otherwise."""
        chapters = (self.three_tickets, self.level_one, self.level_two, self.the_answer)
        return all(chapter() for chapter in chapters) and self.the_end()

    def three_tickets(self) -> bool:
        """Cleo writes, and the service looks."""
        self.tell("0:00  Cleo writes three urgent tickets to each helpdesk. One is tagged no-escalation.")
        for desk in self.desks:
            for word, subject in SUBJECTS.items():
                desk.open(word, subject, "no-escalation" if word == "left" else "eu")
        return self.settled("the service looks at the tickets", lambda: self.all_looked_at(SUBJECTS, {}))

    def level_one(self) -> bool:
        """Nobody answers in time, or too late to see it before we decide."""
        for desk in self.desks:
            desk.answer_in_the_moment_of_the_write("taken", "Ann", "I am on it.")
        self.tell("0:31  Half an hour later nobody has answered. Level 1.")
        self.clock.advance(31 * MINUTE)
        if not self.settled("level 1 fires", lambda: self.all_in("waits", "Tier 2")):
            return False
        self.show("waits")
        self.tell("      Ann answers the third ticket in the very moment of our write. The human wins:")
        self.show("taken")
        return True

    def level_two(self) -> bool:
        """Nobody answers again."""
        self.tell("2:01  Still nobody. Level 2.")
        self.clock.advance(90 * MINUTE)
        if not self.settled("level 2 fires", lambda: self.all_in("waits", "Duty managers")):
            return False
        self.show("waits")
        return True

    def the_answer(self) -> bool:
        """Somebody answers at last."""
        self.tell("2:06  Dana answers Cleo. The ladder stops.")
        self.clock.advance(5 * MINUTE)
        before = {desk.account: desk.looks("waits") for desk in self.desks}
        for desk in self.desks:
            desk.answer("waits", "Dana", "We have found it; try again now, please.")
        return self.settled("the answer is seen", lambda: self.all_looked_at(["waits"], before))

    def the_end(self) -> bool:
        """Both levels' marks on the first ticket; nothing of ours on the others."""
        self.tell("5:06  Three hours later all is quiet:")
        self.clock.advance(3 * HOUR)
        self.settled("nothing more", lambda: True)
        for word in SUBJECTS:
            self.show(word)
        return all(came_out_right({word: desk.show(word) for word in SUBJECTS}) for desk in self.desks)

    def show(self, word: str) -> None:
        """The ticket as each helpdesk now shows it."""
        for desk in self.desks:
            self.tell(f"      {desk.title:11}{desk.show(word)}")

    def all_in(self, word: str, group: str) -> bool:
        """Whether the ticket stands in this group everywhere."""
        return all(desk.show(word).group == group for desk in self.desks)

    def all_looked_at(self, words: Sequence[str] | dict[str, str], before: dict[str, int]) -> bool:
        """Whether each of these tickets was read once more, everywhere, and no webhook is on its way."""
        return all(
            desk.quiet() and all(desk.looks(word) > before.get(desk.account, 0) for word in words)
            for desk in self.desks
        )


def came_out_right(shown: dict[str, Shown]) -> bool:
    """Whether one helpdesk shows the end that the story tells."""
    return (
        shown["waits"].tags == {"eu", "escalated", "escalated-managers"}
        and shown["waits"].group == "Duty managers"
        and shown["left"].tags == {"no-escalation"}
        and shown["taken"].tags == {"eu"}
        and shown["taken"].group == "Tier 1"
        and [shown[word].notes for word in SUBJECTS] == [2, 0, 0]
    )
