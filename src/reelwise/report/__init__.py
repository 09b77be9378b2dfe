"""Pages and files for people: what an audit found, and what to check."""
