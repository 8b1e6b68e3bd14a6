"""The service's own client against the local Runware: one that we did not write is satisfied."""
