"""The wizard in plain lines: numbers and texts are typed, and nothing moves the cursor."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from dockwright.template import Answers, Template, load
from dockwright.wizard import ask, is_plain
from tests.unit.checkout import CONFLICT, CONFLICTING

TEMPLATE = load()
OPTIONS = TEMPLATE.options
NAMES = [name for name in OPTIONS if name not in TEMPLATE.extra]
LINES = [""] * (len(NAMES) + 1)

Reply = Callable[..., Answers | None]


@pytest.fixture
def reply(monkeypatch: pytest.MonkeyPatch, template: Template, output_dir: Path) -> Reply:
    """Return a function that types lines in the plain wizard, and then ends the input."""

    def reply(*lines: str, using: Template = template, **given: str) -> Answers | None:
        typed = iter(lines)

        def read(prompt: str) -> str:
            print(prompt, end="")
            try:
                return next(typed)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", read)
        answers, confirmed = ask(using, given, output_dir, repeat=str, plain=True)
        return answers if confirmed else None

    return reply


def lines_for(**answers: str) -> list[str]:
    """Return the lines that answer all main questions."""
    return ["", *(answers.get(name, "") for name in NAMES)]


def test_enter_accepts_every_default(reply: Reply, template: Template) -> None:
    """Empty lines give the default answers, after confirmation."""
    assert reply(*LINES, "") == template.complete({})


def test_choices_are_numbers_or_names(reply: Reply, template: Template) -> None:
    """A choice is its number, or its name in any case."""
    answers = reply(*lines_for(framework="2", database="PostgreSQL 18", redis="CACHE", project_name="Shop"), "")
    given = {"project_name": "Shop", "framework": "fastapi", "database": "postgresql", "redis": "cache"}
    assert answers == template.complete(given)


def test_every_choice_is_a_numbered_line(reply: Reply, capsys: pytest.CaptureFixture[str]) -> None:
    """Questions say their place; choices have a number and their explanation, in text without escape sequences."""
    reply(*LINES, "")
    shown = capsys.readouterr().out
    joined = " ".join(shown.split())
    for place, option in enumerate((OPTIONS[name] for name in NAMES), 1):
        assert f"Question {place} of {len(NAMES)}: {option.wording}" in joined
        for number, choice in enumerate(option.choices, 1):
            assert f"{number}. {choice.label}: {choice.explanation}" in joined
    assert "\x1b" not in shown
    assert joined.count("A choice is taken by its number or its name.") == 1


def test_back_returns_to_the_question_before(reply: Reply, template: Template) -> None:
    """`back` asks the question before again; Enter keeps its answer."""
    answers = reply(*lines_for(framework="fastapi")[: NAMES.index("framework") + 2], "back", "", *LINES[5:], "")
    assert answers == template.complete({"framework": "fastapi"})


def test_answer_is_changed_from_the_summary(reply: Reply, template: Template) -> None:
    """The second choice at the end lists the answers; the picked one is asked again."""
    answers = reply(*LINES, "2", "database", "none", "1")
    assert answers == template.complete({"database": "none"})


@pytest.mark.parametrize("line", ["3", "n", "No"])
def test_declining_gives_no_answers(reply: Reply, line: str) -> None:
    """The last choice at the end, or a no, writes nothing."""
    assert reply(*LINES, line) is None


@pytest.mark.parametrize("line", ["1", "y", "YES"])
def test_confirming_gives_the_answers(reply: Reply, template: Template, line: str) -> None:
    """The first choice at the end, or a yes, confirms."""
    assert reply(*LINES, line) == template.complete({})


def test_port_in_use_is_said_at_its_question(reply: Reply, capsys: pytest.CaptureFixture[str]) -> None:
    """A proposed port that something answers at is no refusal: the question says so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        # Going back proposes the same port again.
        answers = reply(*lines_for(port=port), "back", "", "")
    assert answers is not None
    assert answers["port"] == port
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Port {port} is in use on this machine: type another, such as " in shown


def test_wrong_lines_are_explained(
    reply: Reply, conflicted: Template, capsys: pytest.CaptureFixture[str], output_dir: Path
) -> None:
    """What is no choice, breaks a rule, exists already or is in conflict is answered with a sentence."""
    (output_dir / "product-api").mkdir()
    lines = [
        *("back", "7", ""),
        *("{{ x }}", "", ""),
        *("shop", "", "", "", ""),
        *(CONFLICTING["database"], CONFLICTING["redis"], "1", "80", "8000", ""),
    ]
    answers = reply(*lines, using=conflicted)
    assert answers == conflicted.complete({"project_slug": "shop", "database": CONFLICTING["database"], "port": "8000"})
    shown = " ".join(capsys.readouterr().out.split())
    for sentence in (
        "This is the first question.",
        "There is no choice 7: type a number from 1 to 6.",
        OPTIONS["project_name"].rule,
        "already exists",
        f"queue: not possible: {CONFLICT['why']}",
        f"queue is not possible: {CONFLICT['why']}",
        OPTIONS["port"].rule,
    ):
        assert sentence in shown


def test_end_of_input_quits(reply: Reply) -> None:
    """Ctrl-D, or the end of what is piped in, quits."""
    with pytest.raises(EOFError):
        reply("", "Shop")


@pytest.mark.parametrize(
    ("environment", "plain"),
    [
        ({"TERM": "dumb"}, True),
        ({"TERM": "xterm", "ACCESSIBLE": "1"}, True),
        ({"TERM": "xterm"}, False),
        ({"TERM": "xterm", "ACCESSIBLE": ""}, False),
        ({"ACCESSIBLE": "0"}, False),
    ],
)
def test_environment_asks_for_plain_lines(environment: dict[str, str], *, plain: bool) -> None:
    """A dumb terminal, and ACCESSIBLE, mean plain lines."""
    assert is_plain(environment) is plain
