"""Arithmetic with stretches of time, half-open, in seconds. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from connector.report.cases import Stretch


def overlaps(ones: Sequence[Stretch], others: Sequence[Stretch]) -> Iterator[Stretch]:
    """Where both are. The stretches of each do not overlap among themselves."""
    for start, end in ones:
        for begin, until in others:
            low, high = max(start, begin), min(end, until)
            if low < high:
                yield low, high


def merged(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same time as stretches that do not overlap, in order."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
