"""What every function of petAPI uses: the Lambda layer `shared`."""

import gc
import os

# A cold start makes a hundred thousand objects and no garbage, so looking for it is a tenth of the work for nothing:
# not before the first request is answered, with its clients made, and then only among younger objects.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()


def end_cold_start() -> None:
    """Turns the garbage collector on where it was turned off; what there is by now stays."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
