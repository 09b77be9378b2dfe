"""Family 2: run a smaller, cheaper model."""
