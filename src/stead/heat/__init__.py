"""Templates of OpenStack's Heat (HOT) as specs. Pure: files that a template names come from a reader that is given."""
