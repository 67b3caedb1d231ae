"""What a template may say, judged from its syntax when the config is loaded.

Only texts, values, filters, `if` and `for … in` a list are let through. So a template that was accepted
names nothing that is not there, calls nothing, and does not grow without bound.
"""

from collections.abc import Iterator, Mapping

from jinja2 import Environment, TemplateSyntaxError, nodes

from policies.language.document import did_you_mean, listed

Shape = Mapping[str, "Shape | None"]

SEEN: Shape = {
    "account": None,
    "ask": None,
    "checklist": None,
    "level": {"name": None},
    "next_step": None,
    "owner": None,
    "policy": {"name": None},
    "reasons": None,
    "summary": None,
    "tried": None,
    "ticket": {
        "ref": None,
        "subject": None,
        "status": None,
        "priority": None,
        "requester": {"name": None},
    },
}
LISTS = ("reasons", "checklist", "tried")
LOOP: Shape = {"index": None, "first": None, "last": None, "length": None}
FILTERS = frozenset(
    (
        "capitalize",
        "default",
        "first",
        "join",
        "last",
        "length",
        "lower",
        "title",
        "trim",
        "truncate",
        "upper",
    )
)
LONGEST = 8_000
DEEPEST = 40
TOO_DEEP = (1, f"its parts stand within each other more than {DEEPEST} deep; write it flatter.")
PARTS: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.Concat,
    nodes.Filter,
    nodes.Keyword,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)


def faults(environment: Environment, body: str) -> Iterator[tuple[int, str]]:
    """What is wrong with a template: the line within it, from 1, and the message."""
    if len(body) > LONGEST:
        yield 1, f"it is {len(body)} characters long; {LONGEST} are the most."
        return
    try:
        tree = environment.parse(body)
    except TemplateSyntaxError as error:
        yield error.lineno, f"{error.message}."
        return
    except RecursionError:
        yield TOO_DEEP
        return
    if _is_deep(tree):
        yield TOO_DEEP
        return
    yield from _judge(tree, SEEN)


def _is_deep(tree: nodes.Node) -> bool:
    within = [tree]
    for _ in range(DEEPEST):
        within = [inner for node in within for inner in node.iter_child_nodes()]
    return bool(within)


def _judge(node: nodes.Node, seen: Shape) -> Iterator[tuple[int, str]]:
    if not isinstance(node, PARTS):
        what = type(node).__name__.lower()
        yield node.lineno, f"`{what}` is not allowed; use values, filters, `if` and `for … in reasons`."
    elif isinstance(node, nodes.For):
        yield from _judge_loop(node, seen)
    elif isinstance(node, nodes.Name | nodes.Getattr):
        yield from _judge_value(node, seen)
    else:
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            hint = did_you_mean(node.name, FILTERS) or f" Known: {listed(sorted(FILTERS), 'and')}."
            yield node.lineno, f"there is no filter `{node.name}`.{hint}"
        for inner in node.iter_child_nodes():
            yield from _judge(inner, seen)


def _judge_loop(node: nodes.For, seen: Shape) -> Iterator[tuple[int, str]]:
    plain = isinstance(node.iter, nodes.Name) and node.iter.name in LISTS
    if not (plain and isinstance(node.target, nodes.Name)) or "loop" in seen:
        yield (
            node.lineno,
            "a loop goes over `reasons`, `checklist` or `tried` and stands alone; write `for reason in reasons`.",
        )
        return
    inside = {**seen, node.target.name: None, "loop": LOOP}
    for inner in (*node.body, *node.else_, *([node.test] if node.test else ())):
        yield from _judge(inner, inside)


def _judge_value(node: nodes.Name | nodes.Getattr, seen: Shape) -> Iterator[tuple[int, str]]:
    """A value must be one that is always there, and no table of values."""
    path = _path(node)
    if path is None:
        yield node.lineno, "only named values have parts; write for example `ticket.subject`."
        return
    shape: Shape | None = seen
    for depth, name in enumerate(path):
        if shape is None:
            yield node.lineno, f"`{'.'.join(path[:depth])}` has no parts; remove `.{name}`."
            return
        if name not in shape:
            said = ".".join(path[: depth + 1])
            hint = did_you_mean(name, shape) or f" Known here: {listed(sorted(shape), 'and')}."
            yield node.lineno, f"there is no `{said}`.{hint}"
            return
        shape = shape[name]
    if shape is not None:
        yield node.lineno, f"`{'.'.join(path)}` has parts; name one of {listed(sorted(shape))}."


def _path(node: nodes.Node) -> tuple[str, ...] | None:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr) and (outer := _path(node.node)) is not None:
        return (*outer, node.attr)
    return None
