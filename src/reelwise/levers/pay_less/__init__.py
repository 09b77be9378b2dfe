"""Family 4: pay less per unit of compute."""
