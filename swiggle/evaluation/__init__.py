"""Measures of quality. What uses trait columns is here and only here."""
