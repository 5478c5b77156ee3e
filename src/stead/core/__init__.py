"""The vocabulary of Stead: values that all stages share. They know no kind, and nothing here has effects."""
