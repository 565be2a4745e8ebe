"""Nouns: one composed set of pictures, and everything that knows it."""
