"""The words of Stead: values that every stage shares. They know no kind, and nothing here has an effect."""
