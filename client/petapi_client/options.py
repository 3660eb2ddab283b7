"""The options of `petapi`."""

import argparse
import os
import re
from collections.abc import Callable

from petapi_client import weights
from petapi_client.values import IMAGE_ID
from petapi_client.weights_csv import parse_tags

LABEL = re.compile(r"[a-z][a-z0-9-]{0,31}")
WORKERS, WORKERS_MAX = 4, 32
DRAWS = 20_000


class Arguments(argparse.Namespace):
    """What was given on the command line."""

    command: str
    url: str
    token_file: str | None
    folder: str
    label: str
    weights: str | None
    divide_by: int | None
    round: bool
    tags: tuple[str, ...]
    workers: int
    dry_run: bool
    update: bool
    output: str
    count: int | None
    distinct: bool
    tag: str | None
    seed: str | None
    session: str | None
    position: int | None
    text: str
    id: str
    k: int | None
    without: str | None
    least: float | None
    columns: int | None
    tiles: str | None
    draws: int


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    top = argparse.ArgumentParser(prog="petapi", description="Use a petAPI from the command line.", allow_abbrev=False)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    shared.add_argument(
        "--url",
        default=os.environ.get("PETAPI_URL") or "http://127.0.0.1:3000",
        help="where the petAPI is (PETAPI_URL, or else http://127.0.0.1:3000)",
    )
    shared.add_argument("--token-file", metavar="FILE", help="the file with the token (or else PETAPI_TOKEN)")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=f"{text}.", parents=[shared], allow_abbrev=False)

    _import(command("import", "Upload the pictures of a folder, with weights from its weights.csv"))
    _export(command("export", "Save all pictures of a label and a weights.csv that import takes"))
    _random(command("random", "Draw a picture of a label, or of several"))
    found = command("search", "Find images by a text")
    found.add_argument("text", metavar="TEXT")
    _search(found)
    alike = command("similar", "Find the images that look most like an image")
    alike.add_argument("id", metavar="ID", type=_image_id)
    _search(alike)
    _mosaic(command("mosaic", "Save a picture as a mosaic of others"))
    command("labels", "List the labels, how many images each has, and their total weight")
    audited = command("audit", "Check that draws are as likely as the petAPI says")
    audited.add_argument("label", metavar="LABEL", type=_label)
    audited.add_argument("-n", dest="draws", type=_from_1_to(10**9), default=DRAWS, help=f"draws ({DRAWS})")
    return top


def _import(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("folder", metavar="FOLDER", help="every JPEG, PNG and WebP below it is imported")
    add("--label", required=True, type=_label)
    add("--weights", metavar="CSV", help="file, filename, weight and tags of the pictures (FOLDER/weights.csv)")
    add("--divide-by", metavar="N", type=_divisor, help="the power of ten that weights are divided by")
    add("--round", action="store_true", help="round weights to 9 decimals")
    add("--tags", type=_tags, default=(), metavar="A,B", help="tags that all pictures get")
    add("--update", action="store_true", help="change weight and tags of pictures that are there with others")
    add("--dry-run", action="store_true", help="check everything, send nothing")
    _workers(command)


def _export(command: argparse.ArgumentParser) -> None:
    command.add_argument("label", metavar="LABEL", type=_label)
    command.add_argument("folder", metavar="FOLDER", help="an empty folder, or a new one")
    _workers(command)


def _random(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("label", metavar="LABEL", type=_labels, help="a label, or several separated by commas")
    several = command.add_mutually_exclusive_group()
    several.add_argument("-o", dest="output", metavar="FILE", help="save the picture")
    several.add_argument("--count", type=_from_1_to(100), help="draw so many")
    add("--distinct", action="store_true", help="with --count: each image at most once")
    add("--tag", help="only images with this tag")
    add(
        "--exclude",
        metavar="ID",
        type=_image_id,
        action="append",
        default=[],
        help="an image that is not drawn; may be repeated",
    )
    add("--seed", help="the same seed draws the same")
    add("--session", help="walk through all images in the order of this session")
    add("--position", type=int, help="the place in the session's order, from 0")


def _search(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("-k", type=_from_1_to(100), help="the most images to find (10)")
    add("--label", type=_label, help="only images of this label")
    add("--tag", help="only images with this tag")
    add("--without", metavar="TAG", help="only images without this tag")
    add("--least", type=float, metavar="S", help="the least similarity, 0 to 1")


def _mosaic(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("id", metavar="ID", type=_image_id)
    add("-o", dest="output", metavar="FILE", required=True, help="the JPEG to write")
    add("--columns", type=_from_1_to(200), help="tiles in a row (80)")
    add("--tiles", metavar="LABEL", help="the label that tiles are taken from, or * for all (the image's own)")


def _workers(command: argparse.ArgumentParser) -> None:
    number = _from_1_to(WORKERS_MAX)
    command.add_argument(
        "--workers", type=number, default=WORKERS, help=f"pictures at a time, 1 to {WORKERS_MAX} ({WORKERS})"
    )


def _label(text: str) -> str:
    if not LABEL.fullmatch(label := text.strip().lower()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no label; it begins with a letter and has at most 32 letters, digits and hyphens, such as cat"
        )
    return label


def _labels(text: str) -> str:
    return ",".join(map(_label, text.split(",")))


def _image_id(text: str) -> str:
    if not IMAGE_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no id; it is what petapi random prints, such as cat/0123….jpg")
    return text


def _tags(text: str) -> tuple[str, ...]:
    try:
        return parse_tags(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from error


def _divisor(text: str) -> int:
    try:
        return weights.parse_divisor(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from error


def _from_1_to(largest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (re.fullmatch(r"[0-9]{1,12}", text) and 1 <= int(text) <= largest):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {largest:,}")
        return int(text)

    return parse
