"""What projects used over time, computed from what the store remembers. Pure: no clock, no store, no kind by name."""
