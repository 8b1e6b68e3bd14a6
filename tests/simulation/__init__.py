"""The whole corridor in a simulated world: virtual time, seeded trouble, a crash at any point.

`python -m tests.simulation --seed N --crash K --verbose` replays one run, to the byte.
"""
