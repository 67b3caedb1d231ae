"""One folder a vendor. Adapters translate, and nothing else: they never retry, sleep or read the clock."""
