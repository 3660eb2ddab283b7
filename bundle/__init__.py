"""`sam build` by way of the Makefile: what the functions and their layer ship, so that they start fast."""
