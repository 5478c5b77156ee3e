"""Making a placement better before anybody sees it."""
