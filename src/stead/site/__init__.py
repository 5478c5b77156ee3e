"""What is known of a site's hosts beside what they report: the inventory, and what their code can do."""
