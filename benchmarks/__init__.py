"""Speed and quality measured outside the tests; results with date and machine stand in ``benchmarks/results``."""
