"""Family 5: architect and govern for cost."""
