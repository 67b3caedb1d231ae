"""Matrices and policies for the tests of what is printed of them."""

import json
from functools import cache

from policies.language.policy import PolicySet
from policies.present.matrix import Matrix, matrix
from tests.policies.lives import DIRECTORY, HEAD, rules

BODY = """
[channels.{name}]
url = "secret:x"
template = {name}
[templates.{name}]
{name} = {name}
[groups.{name}]
lead = {name}
[people.{name}]
manager = {name}
[[policy]]
name = {name}
clock = "created"
acknowledge_tags = [{name}]
[policy.when]
subject = {{ contains = {name} }}
tags = {{ has = [{name}] }}
[policy.unless]
group = {name}
[[policy.level]]
name = {name}
after = "1h"
owner = {name}
assign = {{ group = {name} }}
tags = [{name}]
note = {name}
notify = [{name}]
ask = {name}
checklist = [{name}]
follow = [{name}]
[[policy.level]]
name = "lead"
after = "2h"
owner = "lead_of(group)"
"""
"""A policy in which everything that has a name has the same."""


def quoted(text: str) -> str:
    """The text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def hostile(name: str) -> PolicySet:
    """The policies with this name everywhere."""
    return rules(BODY.format(name=quoted(name)), HEAD)


@cache
def hostile_matrix(name: str) -> Matrix:
    """Their matrix, judged on a directory in which there is nobody of that name."""
    return matrix(hostile(name), ("acme", "other"), {"acme": DIRECTORY}, ("en",))


NAMES = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "]]><!--",
    "&lt;b&gt; & co",
    '"><svg onload=x>',
    "=1+1",
    "+SUM(A1)",
    "-2+3",
    "@cmd",
    "\t=1+1",
    "\r\n=1",
    "＝1+1",
    "a | b",
    "[x](javascript:alert(1))",
    "# heading\n\n- item",
    "`code` *bold* _it_ ~~no~~ \\",
    "nul\x00 bell\x07 esc\x1b[31m del\x7f",
    "right\u202eleft \u2066x\u2069 zero\u200bwidth \ufeff",
    "{{ 7 * 7 }} {% raw %}",
    "日本語 العربية ñ 👩‍👩‍👧",
    "x" * 500,
)
"""Names that some format could take for more than a name."""
