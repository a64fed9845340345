"""The wizard, driven by keys: it proposes, checks and explains, and goes on with nothing that was not agreed to."""

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
from tests.unit.checkout import copy_template

Press = Callable[..., tuple[Answers | None, str]]

ENTER, UP, DOWN, CTRL_C, CTRL_D, CTRL_U = "\r", "\x1b[A", "\x1b[B", "\x03", "\x04", "\x15"
OPTIONS = list(load().options)
ACCEPT_ALL = ENTER * len(OPTIONS)
YES, CHANGE, NO = ENTER, DOWN + ENTER, DOWN * 2 + ENTER


@pytest.fixture
def press(template: Template, output_dir: Path) -> Press:
    """Return a function that presses keys in the wizard, and returns its answers and what it showed."""

    def press(keys: str, *, using: Template = template, **given: str) -> tuple[Answers | None, str]:
        screen = io.StringIO()
        output = Vt100_Output(screen, get_size=lambda: Size(rows=60, columns=100), enable_cpr=False)
        with create_pipe_input() as terminal, create_app_session(input=terminal, output=output):
            terminal.send_text(keys)
            answers = ask(using, given, output_dir)
        return answers, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())

    return press


def pick(option: str) -> str:
    """Return the keys that choose to answer a question again."""
    return CHANGE + DOWN * OPTIONS.index(option) + ENTER


def test_enter_takes_every_default(press: Press, template: Template) -> None:
    """Pressing Enter throughout gives the answers that no input at all gives, and asks for a yes."""
    answers, _ = press(ACCEPT_ALL + YES)
    assert answers == template.complete({})


def test_every_answer_is_confirmed_and_summarised(press: Press, template: Template) -> None:
    """Each answer is shown once it is given, and again in the summary, beside the directory."""
    _, screen = press(ACCEPT_ALL + YES)
    defaults = template.complete({})
    for option in template.options.values():
        label = option.choices[0].label if option.choices else defaults[option.name]
        assert f"✓ {option.wording}: {label}" in screen
        assert re.search(f"   {option.title} +{re.escape(label)}", screen)
    assert "   Directory " in screen


def test_no_is_taken_for_a_no(press: Press) -> None:
    """Declining at the summary gives no answers."""
    assert press(ACCEPT_ALL + NO)[0] is None


def test_answers_are_the_keys_pressed(press: Press) -> None:
    """What is typed and chosen is what comes out, and the slug follows the name."""
    name = "Crème Brûlée"
    answers, _ = press(name + ENTER * 3 + DOWN + ENTER * 2 + DOWN * 2 + ENTER * 3 + "8000" + ENTER + YES)
    assert answers is not None
    expected = {"project_name": name, "project_slug": "creme-brulee", "framework": "fastapi", "base_image": "full"}
    assert expected.items() <= answers.items()
    assert answers["port"] == "8000"


def test_spaces_around_an_answer_do_not_count(press: Press) -> None:
    """A space typed before Enter is no reason to refuse."""
    answers, _ = press(" Shop  " + ACCEPT_ALL + YES)
    assert answers is not None
    assert answers["project_name"] == "Shop"


@pytest.mark.parametrize("typed", ["{{ x }}", "{% x %}", "$(id)", "x" * 201, "🛒"])
def test_refused_name_is_not_taken(press: Press, typed: str) -> None:
    """Enter does nothing while a rule is broken; the answer can be put right where it stands."""
    answers, _ = press(typed + ENTER + CTRL_U + "Shop" + ACCEPT_ALL + YES)
    assert answers is not None
    assert answers["project_name"] == "Shop"


def test_taken_directory_is_caught_at_the_slug(press: Press, output_dir: Path) -> None:
    """A directory that exists can't be chosen: another has to be typed before the next question comes."""
    (output_dir / "product-api").mkdir()
    answers, _ = press(ENTER * 2 + "other" + ACCEPT_ALL + YES)
    assert answers is not None
    assert answers["project_slug"] == "other"


def test_taken_directory_given_is_refused_at_once(press: Press, output_dir: Path) -> None:
    """A directory that exists is refused before any question when it was given."""
    (output_dir / "shop").mkdir()
    with pytest.raises(TargetExistsError):
        press("", project_slug="shop")


def test_unusable_output_directory_is_refused_at_once(press: Press, output_dir: Path) -> None:
    """Nobody answers nine questions for a directory that nothing can be written into."""
    output_dir.rmdir()
    output_dir.touch()
    with pytest.raises(OutputDirectoryError):
        press("")


def test_underivable_slug_has_to_be_typed(press: Press) -> None:
    """A name whose slug breaks a rule is fine, once another slug is typed."""
    answers, _ = press("Con" + ENTER * 2 + "con-api" + ACCEPT_ALL + YES)
    assert answers is not None
    assert (answers["project_name"], answers["project_slug"]) == ("Con", "con-api")


def test_given_answers_are_not_asked(press: Press, template: Template) -> None:
    """A question that a flag answers is not asked, and its answer is in the summary."""
    given = {"project_name": "Shop", "framework": "fastapi", "redis": "queue"}
    answers, screen = press(ENTER * (len(OPTIONS) - len(given)) + YES, **given)
    assert answers == template.complete(given)
    assert f"? {template.options['framework'].wording} " not in screen
    assert "Framework       FastAPI" in screen


def test_answer_can_be_changed_at_the_summary(press: Press, template: Template) -> None:
    """An answer is put right without starting again, from what it was."""
    answers, _ = press(ACCEPT_ALL + pick("database") + DOWN + ENTER + pick("database") + DOWN + ENTER + YES)
    assert answers == template.complete({"database": "mariadb"})


def test_changed_name_asks_for_the_slug_again(press: Press) -> None:
    """A slug that was left to follow the name follows it still; one that was typed stays."""
    answers, _ = press(ACCEPT_ALL + pick("project_name") + "Shop" + ENTER * 2 + YES)
    assert answers is not None
    assert answers["project_slug"] == "shop"
    answers, _ = press(ENTER + "own" + ACCEPT_ALL[1:] + pick("project_name") + "Shop" + ENTER + YES)
    assert answers is not None
    assert (answers["project_name"], answers["project_slug"]) == ("Shop", "own")


def test_choice_in_conflict_is_passed_over(press: Press, conflicted: Template) -> None:
    """A choice that does not go with an earlier answer can't be reached."""
    before = ENTER * OPTIONS.index("database") + DOWN * 3 + ENTER
    answers, _ = press(before + DOWN * 2 + ENTER * 2 + YES, using=conflicted)
    assert answers is not None
    assert (answers["database"], answers["redis"]) == ("none", "cache-and-queue")


def test_conflict_is_resolved_by_answering_again(press: Press, conflicted: Template) -> None:
    """Changing the earlier answer makes the choice available."""
    before = ENTER * OPTIONS.index("database") + DOWN * 3 + ENTER * 3
    again = pick("database") + UP + ENTER + pick("redis") + DOWN * 2 + ENTER
    answers, _ = press(before + again + YES, using=conflicted)
    assert answers is not None
    assert (answers["database"], answers["redis"]) == ("mariadb", "queue")


def test_question_without_a_choice_left_is_refused(press: Press, tmp_path: Path) -> None:
    """When every choice is in conflict with what was given, the reasons are the answer."""
    redis = load().options["redis"].values
    conflicts = [{"when": {"database": "none", "redis": choice}, "why": "no"} for choice in redis]
    template = copy_template(tmp_path / "closed", _conflicts=conflicts)
    with pytest.raises(RefusedAnswersError):
        press(ACCEPT_ALL, using=template, database="none")


@pytest.mark.parametrize("answered", range(len(OPTIONS) + 1), ids=[*OPTIONS, "summary"])
@pytest.mark.parametrize("typed", ["", "\x1b[B"], ids=["at-once", "after-a-key"])
def test_interrupt_leaves_at_every_question(press: Press, output_dir: Path, answered: int, typed: str) -> None:
    """Ctrl-C at any question, and at the summary, leaves the wizard with nothing written."""
    with pytest.raises(KeyboardInterrupt):
        press(ENTER * answered + typed + CTRL_C)
    assert not list(output_dir.iterdir())


def test_interrupt_leaves_while_changing_an_answer(press: Press) -> None:
    """Ctrl-C leaves from the list of answers to change as well."""
    with pytest.raises(KeyboardInterrupt):
        press(ACCEPT_ALL + CHANGE + CTRL_C)


def test_end_of_input_leaves(press: Press) -> None:
    """Ctrl-D at an empty question leaves too."""
    with pytest.raises(EOFError):
        press(CTRL_D)
