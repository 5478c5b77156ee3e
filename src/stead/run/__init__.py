"""One execution of a plan: apply, its journal, and how it is interrupted."""
