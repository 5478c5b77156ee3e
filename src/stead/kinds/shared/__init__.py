"""What several kinds have in common. It is no kind."""
