"""The schedule of a callback that fails: 14 attempts over a day."""

from shared.backoff import BackOff

# Ten delays double: 30 + 60 + ... + 15,360 = 30 * (2^10 - 1) = 30,690 s. Three are the longest: 54,000 s. Together they
# are 84,690 s, 23.5 hours, plus or minus the jitter. The longest is 5 * 1.2 = 6 hours.
CALLBACKS = BackOff(
    first=30.0,
    longest=18_000.0,  # 5 hours
    attempts=14,  # the queue's maxReceiveCount (template.yaml); SQS then moves the message to the dead-letter queue
)
