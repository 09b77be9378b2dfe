"""Plans on real footage: what would be sent, counted."""
