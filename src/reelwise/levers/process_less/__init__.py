"""Family 1: process less video."""
