"""The crash matrix: the bot is killed at every moment that can be named, and at many that cannot.

Seen from outside alone: the production bot in a process of its own between the local servers, which
kill it. `python -m tests.matrix` is the long form; `tests/test_matrix.py` runs a sample of it.
"""
