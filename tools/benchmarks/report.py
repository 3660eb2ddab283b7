"""The end of `make bench`: write docs/reference/performance.md and its plots from tools/benchmarks/results.json."""

from tools.benchmarks import plots, results
from tools.benchmarks.page import write


def main() -> None:
    """Write the page and its plots."""
    write()
    plots.draw_all(results.read())


if __name__ == "__main__":
    main()
