"""The figures that the site promises, measured: `python -m tests.benchmarks`."""
