"""Every wait before something is tried again, in one table. Values only: who waits for what stands where it is used."""

from dataclasses import dataclass

from policies.model import Seconds


@dataclass(frozen=True, slots=True)
class Waits:
    """The seconds before each further try; after the last step either it is given up or that step is repeated, as who
    waits decides."""

    steps: tuple[Seconds, ...]

    @property
    def tries(self) -> int:
        """How many tries there are where it is given up."""
        return len(self.steps) + 1

    def after(self, failures: int) -> Seconds:
        """The wait after so many failures in a row, at least one."""
        return self.steps[min(max(failures, 1), len(self.steps)) - 1]


WRITE = Waits((1, 5, 15, 60, 300, 900, 1800))
"""Between the sendings of one part of a level that the helpdesk did not apply, however many looks they take. Then it
is refused, and a human is told."""

NOTICE = Waits((30, 60, 300, 900, 1800, 3600, 7200))
"""Between the sendings of a notice to its channel. Then it is given up."""

ASIDE = Waits((15, 30, 60, 120, 240, 480, 960, 1920, 3600))
"""Before a look that failed is taken again, a feed that is refused is asked for, a row that is broken is read. Never
given up."""

READ: tuple[float, ...] = (0.5, 1, 2, 4)
"""Between the requests of one reading where the helpdesk says of no time."""

READ_WITHIN: Seconds = 20
"""A reading that would wait longer than this in all is put off: its thread is missed elsewhere."""

UNSAID: Seconds = 30
"""Before a look that was put off and of which nobody said until when: reading has been tried several times by then."""

FIND_OUT: Seconds = 5
"""After a sending of unknown fate, before "it is not there" is believed: a late request may still be applied."""

UNKNOWN_DIRECTORY: Seconds = 300
"""The longest wait for a directory while none has ever been read: no level that names anybody acts before."""

UNANSWERED: Seconds = 300
"""The longest wait for a ticket that the helpdesk does not answer about."""


def unanswered(said: Seconds, times: int) -> Seconds:
    """How long a ticket rests that the helpdesk has not answered about so many times: at least as long as it `said`.
    What the path to it announces holds up all that use the path, and after an outage nobody waits for long."""
    return max(said, min(max(ASIDE.steps[0], said) << (times - 1), UNANSWERED))
