"""`make costs`: what petAPI costs a month on AWS, from measured work (benchmarks/results.json) and dated prices."""
