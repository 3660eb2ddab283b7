"""`make bench`, in the end: docs/reference/performance.md and its plots, from tools/benchmarks/results.json."""

from tools.benchmarks import plots, results
from tools.benchmarks.page import PAGE, page


def main() -> None:
    """Write the page and its plots."""
    found = results.read()
    PAGE.write_text(page(found))
    plots.draw_all(found)


if __name__ == "__main__":
    main()
