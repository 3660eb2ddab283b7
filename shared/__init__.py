"""What every function of petAPI uses: the Lambda layer `shared`."""
