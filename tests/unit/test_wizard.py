"""The wizard, driven by key presses: it proposes, checks and explains answers, and asks for confirmation."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from dockwright.errors import OutputDirectoryError, RefusedAnswersError, TargetExistsError
from dockwright.template import Answers, Template, load
from dockwright.wizard import ask
from tests.unit.checkout import CONFLICTING, add_option, copy_template

Press = Callable[..., tuple[Answers | None, str]]

ENTER, UP, DOWN, CTRL_C, CTRL_D, CTRL_U = "\r", "\x1b[A", "\x1b[B", "\x03", "\x04", "\x15"
OPTIONS = load().options
NAMES = list(OPTIONS)
YES, CHANGE, NO = ENTER, DOWN + ENTER, DOWN * 2 + ENTER
# A text that every free-text question accepts
TEXT = "2048"


@pytest.fixture
def press(template: Template, output_dir: Path) -> Press:
    """Return a function that presses keys in the wizard, and returns its answers and what it displayed."""

    def press(keys: str, *, using: Template = template, **given: str) -> tuple[Answers | None, str]:
        screen = io.StringIO()
        output = Vt100_Output(screen, get_size=lambda: Size(rows=60, columns=100), enable_cpr=False)
        with create_pipe_input() as terminal, create_app_session(input=terminal, output=output):
            terminal.send_text(keys)
            answers = ask(using, given, output_dir)
        return answers, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())

    return press


def answer(option: str, text: str = "", *, current: str = "") -> str:
    """Return the keys that answer one question: by default with Enter, else from the current or default choice."""
    choices = OPTIONS[option].values
    if not choices or not text:
        return text + ENTER
    distance = choices.index(text) - choices.index(current or choices[0])
    return (DOWN if distance > 0 else UP) * abs(distance) + ENTER


def answer_all(since: str = NAMES[0], until: str = "", **answers: str) -> str:
    """Return the keys that answer all questions, or some: with Enter where there is no other answer."""
    names = NAMES[NAMES.index(since) : NAMES.index(until) if until else None]
    return "".join(answer(name, answers.get(name, "")) for name in names)


def change(option: str, text: str = "", *, current: str = "") -> str:
    """Return the keys that change an answer at the summary."""
    return CHANGE + DOWN * NAMES.index(option) + ENTER + answer(option, text, current=current)


def test_enter_accepts_every_default(press: Press, template: Template) -> None:
    """Pressing Enter throughout gives the default answers, after confirmation."""
    answers, _ = press(answer_all() + YES)
    assert answers == template.complete({})


def test_added_option_is_asked(press: Press, tmp_path: Path) -> None:
    """An option that is added to `cookiecutter.json` needs no change of the wizard."""
    template = copy_template(tmp_path / "copy", **add_option("extra", "a", "b"))
    answers, screen = press(answer_all() + DOWN + ENTER + YES, using=template)
    assert answers == template.complete({"extra": "b"})
    assert "✓ A made-up question: b" in screen


def test_every_answer_is_confirmed_and_summarised(press: Press, template: Template) -> None:
    """Each answer is shown once it is given, and again in the summary, with the directory."""
    _, screen = press(answer_all() + YES)
    defaults = template.complete({})
    for option in template.options.values():
        label = option.choices[0].label if option.choices else defaults[option.name]
        assert f"✓ {option.wording}: {label}" in screen
        assert re.search(f"   {option.title} +{re.escape(label)}", screen)
    assert "   Directory " in screen


def test_declining_gives_no_answers(press: Press) -> None:
    """A no at the summary gives no answers."""
    assert press(answer_all() + NO)[0] is None


def test_answers_are_the_keys_pressed(press: Press, template: Template) -> None:
    """The answers are what was typed and chosen, and the slug is derived from the name."""
    given = {"project_name": "Crème Brûlée", "framework": "fastapi", "base_image": "full", "port": "8000"}
    answers, _ = press(answer_all(**given) + YES)
    assert answers == template.complete(given | {"project_slug": "creme-brulee"})


def test_spaces_around_an_answer_are_ignored(press: Press) -> None:
    """Spaces before and after a text are stripped."""
    answers, _ = press(answer_all(project_name=" Shop  ") + YES)
    assert answers is not None
    assert answers["project_name"] == "Shop"


@pytest.mark.parametrize("typed", ["{{ x }}", "{% x %}", "$(id)", "x" * 201, "🛒"])
def test_refused_name_is_not_accepted(press: Press, typed: str) -> None:
    """Enter does nothing while a rule is broken; the text can be corrected."""
    answers, _ = press(typed + ENTER + CTRL_U + answer_all(project_name="Shop") + YES)
    assert answers is not None
    assert answers["project_name"] == "Shop"


def test_existing_directory_is_refused_at_the_slug(press: Press, output_dir: Path) -> None:
    """A slug whose directory exists is not accepted: the wizard waits for another one."""
    (output_dir / "product-api").mkdir()
    answers, _ = press(
        answer_all(until="project_slug") + ENTER + answer_all(since="project_slug", project_slug="other") + YES
    )
    assert answers is not None
    assert answers["project_slug"] == "other"


def test_existing_directory_as_flag_is_refused_at_once(press: Press, output_dir: Path) -> None:
    """A given slug whose directory exists is refused before the first question."""
    (output_dir / "shop").mkdir()
    with pytest.raises(TargetExistsError):
        press("", project_slug="shop")


def test_unusable_output_directory_is_refused_at_once(press: Press, output_dir: Path) -> None:
    """An output directory that can't be written to is refused before the first question."""
    output_dir.rmdir()
    output_dir.touch()
    with pytest.raises(OutputDirectoryError):
        press("")


def test_invalid_derived_slug_has_to_be_typed(press: Press) -> None:
    """A name whose derived slug breaks a rule is accepted, but the slug must be typed."""
    refused = answer_all(until="project_slug", project_name="Con") + ENTER
    answers, _ = press(refused + answer_all(since="project_slug", project_slug="con-api") + YES)
    assert answers is not None
    assert (answers["project_name"], answers["project_slug"]) == ("Con", "con-api")


def test_given_answers_are_not_asked(press: Press, template: Template) -> None:
    """A question that a flag answers is not asked, and its answer is in the summary."""
    given = {"project_name": "Shop", "framework": "fastapi", "redis": "queue"}
    answers, screen = press(ENTER * (len(NAMES) - len(given)) + YES, **given)
    assert answers == template.complete(given)
    assert f"? {template.options['framework'].wording} " not in screen
    assert re.search("Framework +FastAPI", screen)


@pytest.mark.parametrize("name", NAMES)
def test_change_is_summarised(press: Press, template: Template, output_dir: Path, name: str) -> None:
    """After a change, the summary shows the new answer, and the project is generated with it."""
    option = OPTIONS[name]
    text = option.values[-1] if option.choices else TEXT
    label = option.choices[-1].label if option.choices else TEXT
    asked_again = [other for other in OPTIONS.values() if other.derived and f"cookiecutter.{name} " in other.default]
    answers, screen = press(answer_all() + change(name, text) + ENTER * len(asked_again) + YES)
    assert answers == template.complete({name: text})
    summary = screen.rpartition("✓")[2]
    assert re.search(f"   {option.title} +{re.escape(label)}\\s", summary)
    assert re.search(f"   Directory +{re.escape(str(output_dir / answers['project_slug']))}\\s", summary)


def test_change_starts_from_the_current_answer(press: Press, template: Template) -> None:
    """When an answer is changed, its current choice is selected."""
    first = change("database", "postgresql")
    answers, _ = press(answer_all() + first + change("database", "mariadb", current="postgresql") + YES)
    assert answers == template.complete({"database": "mariadb"})


def test_changed_name_asks_for_the_slug_again(press: Press) -> None:
    """A slug that was left at its default is asked again with the new default; a typed one stays."""
    answers, _ = press(answer_all() + change("project_name", "Shop") + ENTER + YES)
    assert answers is not None
    assert answers["project_slug"] == "shop"
    answers, _ = press(answer_all(project_slug="own") + change("project_name", "Shop") + YES)
    assert answers is not None
    assert (answers["project_name"], answers["project_slug"]) == ("Shop", "own")


def test_choice_in_conflict_is_skipped(press: Press, conflicted: Template) -> None:
    """A choice in conflict with an earlier answer can't be selected: the arrow keys skip it."""
    answers, _ = press(answer_all(**CONFLICTING) + YES, using=conflicted)
    choices = OPTIONS["redis"].values
    assert answers is not None
    assert answers["database"] == CONFLICTING["database"]
    assert answers["redis"] == choices[choices.index(CONFLICTING["redis"]) + 1]


def test_conflict_is_resolved_by_a_change(press: Press, conflicted: Template) -> None:
    """Changing the earlier answer makes the choice available."""
    changes = change("database", "mariadb", current="none") + change("redis", "queue")
    answers, _ = press(answer_all(database="none") + changes + YES, using=conflicted)
    assert answers is not None
    assert (answers["database"], answers["redis"]) == ("mariadb", "queue")


def test_question_without_a_choice_left_is_refused(press: Press, tmp_path: Path) -> None:
    """If every choice is in conflict with given answers, the reasons are reported."""
    conflicts = [{"when": {"database": "none", "redis": choice}, "why": "no"} for choice in OPTIONS["redis"].values]
    template = copy_template(tmp_path / "closed", _conflicts=conflicts)
    with pytest.raises(RefusedAnswersError):
        press(answer_all(), using=template, database="none")


@pytest.mark.parametrize("answered", range(len(NAMES) + 1), ids=[*NAMES, "summary"])
@pytest.mark.parametrize("typed", ["", DOWN], ids=["at-once", "after-a-key"])
def test_interrupt_quits_at_every_question(press: Press, output_dir: Path, answered: int, typed: str) -> None:
    """Ctrl-C quits at any question and at the summary, and nothing is written."""
    with pytest.raises(KeyboardInterrupt):
        press(ENTER * answered + typed + CTRL_C)
    assert not list(output_dir.iterdir())


def test_interrupt_quits_while_changing_an_answer(press: Press) -> None:
    """Ctrl-C also quits at the list of answers to change."""
    with pytest.raises(KeyboardInterrupt):
        press(answer_all() + CHANGE + CTRL_C)


def test_end_of_input_quits(press: Press) -> None:
    """Ctrl-D quits at an empty question."""
    with pytest.raises(EOFError):
        press(CTRL_D)
