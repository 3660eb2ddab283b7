"""Why `make run` may refuse to start."""


class Refusal(Exception):
    """A reason not to start. Its text is one or two sentences: what is wrong, and what to do."""
