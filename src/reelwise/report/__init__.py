"""Documents for people, each a pure function of plain structs."""
