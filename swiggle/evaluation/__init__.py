"""Measures of quality. What uses true traits is here and only here."""
