"""`make costs`: what petAPI costs a month on AWS, from measured work (tools/benchmarks) and dated prices."""
