"""Levers that the article does not list."""
