"""The schedule of an image that could not be indexed: 100 attempts over a day.

A model that is throttled is not the image's failure, so there are many attempts.
"""

from shared.backoff import BackOff

# Seven delays double: 5 + 10 + ... + 320 = 5 * (2^7 - 1) = 635 s. Another is 640 s. The other 91 are the longest:
# 81,900 s. Together they are 83,175 s, 23.1 hours, plus or minus the jitter.
IMAGES = BackOff(
    first=5.0,
    longest=900.0,
    attempts=100,  # the queue's maxReceiveCount (template.yaml); SQS then moves the message to the dead-letter queue
)
