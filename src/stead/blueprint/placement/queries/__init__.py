"""Questions about a placement: why, what if, what would help."""
