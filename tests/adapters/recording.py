"""A clock moved by hand, for the adapters' own tests."""

START = 1_790_000_000


class Clock:
    """The helpdesk's time, moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at
