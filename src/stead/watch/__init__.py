"""Watches hosts, and evacuates one that died: what is decided (`deciding`), and how hosts are looked at (`looking`)."""
