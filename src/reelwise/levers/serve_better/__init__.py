"""Family 3: serve the model more efficiently."""
