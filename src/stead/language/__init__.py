"""From files to desired: documents, specs, expressions, and what is generated from the kinds' models."""
