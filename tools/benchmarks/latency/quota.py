"""What a Lambda function has of a processor: a part of each period, by its memory; pure.

Linux gives it out so (CFS bandwidth control): a function may use its quota of a period at full speed.  Then it stands
still until the next period begins.  https://docs.kernel.org/scheduler/sched-bwc.html

Linux itself is a little faster: it begins a period with the first work after a pause, and gives out quota in slices.
Bursts of 5 to 40 ms, with the quotas of 512 to 1,024 MB, took as long there as here, or up to 8 ms less.
"""

VCPU_MB = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: "at 1,769 MB, one vCPU"
PERIOD = 20 * 10**6  # nanoseconds


class Quota:
    """The processor of a function with so much memory, in MB.  All times are in nanoseconds.

    Work takes `slowness` times as long as it says.  Python runs one thread at a time, so more than a whole processor is
    of no use.
    """

    def __init__(self, memory: float, slowness: int = 1) -> None:
        self.of_period = min(PERIOD, round(PERIOD * memory / VCPU_MB))
        self.slowness = slowness
        self._period, self._used = -1, 0

    def end(self, begin: int, work: int) -> int:
        """Return when work ends that begins at this moment and takes so much processor time.

        Work must be given in the order in which it is done.
        """
        now, work = begin, work * self.slowness
        while True:
            period = now // PERIOD
            if period != self._period:
                self._period, self._used = period, 0
            until = (period + 1) * PERIOD
            done = min(work, self.of_period - self._used, until - now)
            self._used, work, now = self._used + done, work - done, now + done
            if not work:
                return now
            now = until
