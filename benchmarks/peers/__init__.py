"""Checks against other packages: `pip install 'swiggle[peers]'`, then `pytest benchmarks/peers`."""
