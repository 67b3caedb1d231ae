"""What a policy means, to the second: the steps of `policies.evaluate`, and the rules that each of them follows.

The code and `tests/policies/test_rule_NN_*.py` name the rules by number; `docs/policies.md` tells them in words:
1 when a level is due, 2 replies, customers and pauses, 3 firing, 4 episodes, 5 our own writes, 6 several policies,
7 conditions, 8 what is missing or unknown, 9 owners and targets, 10 acknowledgement, 11 who did it, 12 modes,
13 changed policies, 14 caps (`connector.work.limits`), 15 gates and orders.
"""
