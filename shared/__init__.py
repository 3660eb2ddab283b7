"""The code that several functions use. Importing it switches the garbage collector off under Lambda."""

import gc
import os

# A cold start makes a hundred thousand objects and no garbage, so collecting would be a tenth of its work, for nothing.
# `end_cold_start` switches the collector on again after the first request, once the AWS clients exist.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()


def is_cold_start() -> bool:
    """Return whether the first request under Lambda has not ended."""
    return not gc.isenabled()


def end_cold_start() -> None:
    """Switch the garbage collector on again. It then leaves all objects alone that exist by now."""
    if is_cold_start():
        gc.freeze()
        gc.enable()
