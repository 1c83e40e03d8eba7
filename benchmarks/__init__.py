"""Time and memory against the budgets: `python -m benchmarks`, or `make bench`."""
