"""`python -m tests.bench`: ours beside a floor or a peer, measured in one run."""
