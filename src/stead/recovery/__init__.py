"""Whether a store may speak for its hosts, and how it is rebuilt from what they remember. Pure."""
