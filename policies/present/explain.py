"""A trace in plain words. It decides nothing: what it says was decided by `evaluate`."""

from policies.language.clocks import HIDDEN
from policies.model import Value
from policies.present.trace import ClockTrace, LevelTrace, LineTrace, PolicyTrace


def explain(trace: tuple[PolicyTrace, ...]) -> str:
    """Every policy that was considered, in order: its lines, its clock, its levels. Ends without a newline."""
    return "\n\n".join("\n".join(of_policy(each)) for each in trace) or "No policy serves this account."


def of_policy(trace: PolicyTrace) -> list[str]:
    """One policy, the verdict first."""
    lines = [f'Policy "{trace.policy}" ({trace.mode}): {trace.verdict}']
    for section in ("when", "unless"):
        judged = [line for line in trace.lines if line.section == section]
        if judged:
            lines.append(f"  {section}")
            lines += [text for line in judged for text in of_line(line, 4)]
    if trace.clock is not None:
        lines += of_clock(trace.clock)
    if trace.levels:
        lines.append("  levels")
        lines += [of_level(each) for each in trace.levels]
    lines += [f"  note: {note}" for note in trace.notes]
    return [" ".join(line.splitlines()) for line in lines]  # what a ticket says begins no line of ours


def of_line(line: LineTrace, indent: int) -> list[str]:
    """One condition with the value it read, and the lines inside it."""
    mark = "?  " if line.hidden else "yes" if line.held else "no "
    known = HIDDEN if line.hidden else f"it is {value(line.read)}"
    read = "" if line.inner else f" ({known})"
    own = f"{' ' * indent}{mark} {line.text}{read}"
    return [own, *(text for inner in line.inner for text in of_line(inner, indent + 4))]


def value(read: Value) -> str:
    """A value as a person would say it."""
    if read is None:
        return "missing"
    if isinstance(read, bool):
        return "yes" if read else "no"
    if isinstance(read, tuple):
        return ", ".join(read) or "empty"
    return str(read)


def of_clock(clock: ClockTrace) -> list[str]:
    """The clock and its arithmetic."""
    if clock.why_absent is not None:
        return [f"  clock {clock.name}: absent, {clock.why_absent}"]
    return [f"  clock {clock.name}", *(f"    {step}" for step in clock.steps)]


def of_level(level: LevelTrace) -> str:
    """One level and how it stands."""
    if level.text.startswith(level.state):
        return f"    {level.name}: {level.text}"
    return f"    {level.name}: {level.state}" + (f"; {level.text}" if level.text else "")
