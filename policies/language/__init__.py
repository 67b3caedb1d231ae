"""The policy language: what can be written, read with its places, checked, and told to an editor."""
