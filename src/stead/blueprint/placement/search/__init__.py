"""Placing what waits: from the first host that fits to the proof that none does."""
