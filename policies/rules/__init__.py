"""What a policy means, to the second: the steps of `policies.evaluate`, and the rules that each of them follows."""
