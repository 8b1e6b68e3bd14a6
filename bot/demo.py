"""`python -m bot demo` and `sandbox`."""
