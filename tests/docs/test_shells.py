"""The commands of the docs do the same on Linux and macOS, and wait for what AWS does later."""

import re

import pytest

from tests.support import documents
from tests.support.documents import PAGES, ROOT, Block

BLOCKS = [block for page in PAGES for block in documents.blocks(page)]
OF_GNU = (  # what macOS does not have, or has with other options
    *(
        r"\bdate (-u )?(-d|--date)\b",
        r"\bdate [^)]*%N",
        r"\bsed -i\b",
        r"\breadlink -f\b",
        r"\bgrep -\w*P",
        r"\bstat -c\b",
    ),
    *(
        r"\bbase64 -w",
        r"\bxargs -r\b",
        r"\bhead -n -",
        r"\bsort -V\b",
        r"\bsleep \d+[smhd]",
        r"\bcp --",
        r"\bmktemp --",
    ),
    *(rf"(^|[|;(]) *{name} " for name in ("timeout", "nproc", "shuf", "tac", "sha256sum", "md5sum")),
)
OF_ZSH = {  # which it sets itself, or lets nobody set
    *(
        "status",
        "pipestatus",
        "path",
        "fpath",
        "cdpath",
        "manpath",
        "argv",
        "options",
        "commands",
        "functions",
        "aliases",
    ),
    *("parameters", "history", "words", "signals", "prompt", "match", "mbegin", "mend"),
}
QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)


def outside_quotes(block: Block) -> str:
    """Return the commands without what stands in quotes, which shells leave as it is."""
    return QUOTED.sub("Q", block.text.replace("\\\n", " "))


def set_in(text: str) -> set[str]:
    """Return the variables that commands set."""
    read = [name for names in re.findall(r"\bread -r ([\w ]+)", text) for name in names.split()]
    return {
        *read,
        *re.findall(r"(?:^|[;&(] *)(?:export )?(\w+)=", text, re.MULTILINE),
        *re.findall(r"\bfor (\w+) in", text),
    }


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_commands_are_not_those_of_gnu_alone(block: Block) -> None:
    assert [pattern for pattern in OF_GNU if re.search(pattern, block.text, re.MULTILINE)] == []


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_zsh_takes_the_names_the_addresses_and_the_folders(block: Block) -> None:
    text = outside_quotes(block)
    assert not set_in(text) & OF_ZSH
    assert not re.search(r"https?://\S*[?*\[]", text), "zsh would look for files with such names"
    assert not re.search(r"\w=~", text), "zsh leaves the tilde as it is"


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_variable_of_several_words_is_not_left_to_the_shell_to_split(block: Block) -> None:
    """As zsh does not: a variable that is an argument stands in quotes."""
    assert bare_in(outside_quotes(block)) == []


def bare_in(text: str) -> list[str]:
    """Return the variables that are whole arguments."""
    return re.findall(r"(?<=\s)\$(\w+)(?=[\s;|)]|$)", text)


def test_such_commands_are_found() -> None:
    assert set_in("read -r url status fields < <(x)\nexport A=1; B=2 c\nfor each in d; do x; done") == {
        *("url", "status", "fields", "A", "B", "each")
    }
    assert bare_in('curl $fields -F a=$b "$c" $d') == ["fields", "d"]
    for command in ("date -u -d '-10 minutes' +%s", "sed -i s/a/b/ c", "sleep 5m", "a | tac "):
        assert [pattern for pattern in OF_GNU if re.search(pattern, command, re.MULTILINE)], command


# -- what AWS does later -----------------------------------------------------------------------------------------

AWS = [block for block in BLOCKS if "aws" in block.marks]


def test_a_restore_is_waited_for_as_long_as_it_takes() -> None:
    """The waiter gives up after 25 times 20 seconds."""
    waits = [line.strip() for block in AWS for line in block.text.splitlines() if "wait table-exists" in line]
    assert len(waits) == 2
    assert all(re.fullmatch(r"until aws dynamodb wait table-exists .*; do sleep 1; done", line) for line in waits)


def test_a_line_of_the_log_is_asked_for_some_time_after_it_was_written() -> None:
    asked = 0
    for block in AWS:
        before, found, _ = block.text.partition("aws logs filter-log-events")
        if found and "curl" in before:
            asked += 1
            last = before[before.rindex("curl") :]
            assert sum(map(int, re.findall(r"^sleep (\d+)$", last, re.MULTILINE))) >= 30, str(block)
    assert asked == 2


def test_a_deploy_without_a_gap_is_one_that_changes_code_and_variables() -> None:
    (block,) = (block for block in AWS if "kill -0" in block.text)
    (file,) = re.findall(r">>(\S+)", block.text)
    assert file.startswith("shared/")  # which every function has
    assert (ROOT / file).exists()
    before, after = block.text.split("kill -0")
    for part in (before, after):
        assert part.index("sam build") < part.index("sam deploy") < part.index("--parameter-overrides")
    assert before.index(file) < before.index("sam build")
    assert after.index(f"git checkout {file}") < after.index("sam build")
