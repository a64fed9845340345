"""The wizard, driven by key presses: it proposes, checks and explains answers, goes back, and asks for confirmation."""

import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyte
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from dockwright import __version__
from dockwright.errors import OutputDirectoryError, RefusedAnswersError, TargetExistsError
from dockwright.options import Option
from dockwright.template import Answers, Template, load
from dockwright.wizard import ask
from tests.unit.checkout import CONFLICTING, add_option, copy_template, unusual_answers

ENTER, UP, DOWN, RIGHT, TAB, BACK = "\r", "\x1b[A", "\x1b[B", "\x1b[C", "\t", "\x1b[Z"
CTRL_C, CTRL_D, CTRL_U = "\x03", "\x04", "\x15"
# Narrower than the panel, whose renderings take time
ROWS, COLUMNS = 60, 79
TEMPLATE = load()
OPTIONS = TEMPLATE.options
NAMES = [name for name in OPTIONS if name not in TEMPLATE.extra]
PRESETS = TEMPLATE.presets
# Answers to the first question: step by step is the first choice, everything is the last.
STEPS, EVERYTHING = ENTER, UP + ENTER
YES, CHANGE, NO = ENTER, DOWN + ENTER, DOWN * 2 + ENTER
# A text that every free-text question accepts
TEXT = "2048"


@dataclass(frozen=True)
class Session:
    """The wizard's answers, everything that it displayed, and what the terminal shows at the end."""

    answers: Answers | None
    shown: str
    screen: str


Press = Callable[..., Session]


@pytest.fixture
def press(template: Template, output_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Press:
    """Return a function that presses keys in the wizard, and returns its answers and what it displayed."""
    # All keys are typed ahead here; test_screen waits for the summary.
    monkeypatch.setattr("dockwright.screen.discard_keys", lambda: None)

    def press(
        keys: str, *, using: Template = template, target: Path | None = None, preset: str | None = None, **given: str
    ) -> Session:
        written = io.StringIO()
        output = Vt100_Output(written, get_size=lambda: Size(rows=ROWS, columns=COLUMNS), enable_cpr=False)
        with create_pipe_input() as terminal, create_app_session(input=terminal, output=output):
            terminal.send_text(keys)
            answers, confirmed = ask(using, given, output_dir, repeat=str, target=target, preset=preset)
        screen = pyte.Screen(COLUMNS, ROWS)
        pyte.Stream(screen).feed(written.getvalue().replace("\r\n", "\n").replace("\n", "\r\n"))
        lines = "\n".join(line.rstrip() for line in screen.display).rstrip()
        return Session(answers if confirmed else None, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.getvalue()), lines)

    return press


def answer(option: str, text: str = "", *, current: str = "") -> str:
    """Return the keys that answer one question: by default with Enter, else from the current or default choice."""
    choices = OPTIONS[option].values
    if not choices or not text:
        return text + ENTER
    distance = choices.index(text) - choices.index(current or choices[0])
    return (DOWN if distance > 0 else UP) * abs(distance) + ENTER


def answer_all(since: str = "", until: str = "", **answers: str) -> str:
    """Return the keys that answer all main questions, or some: with Enter where there is no other answer."""
    names = NAMES[NAMES.index(since) if since else 0 : NAMES.index(until) if until else None]
    return ("" if since else STEPS) + "".join(answer(name, answers.get(name, "")) for name in names)


def change(option: str, text: str = "", *, current: str = "") -> str:
    """Return the keys that change an answer at the summary."""
    return CHANGE + DOWN * list(OPTIONS).index(option) + ENTER + answer(option, text, current=current)


def other_answer(option: Option) -> tuple[str, str]:
    """Return an answer that is not the default, and how it is shown."""
    return (option.values[-1], option.choices[-1].label) if option.choices else (TEXT, TEXT)


def compatible_answers(name: str, text: str) -> dict[str, str]:
    """Return answers to the options whose defaults conflict with this answer."""
    conflicts = [conflict["when"] for conflict in TEMPLATE.definition["_conflicts"]]
    others = {
        other for when in conflicts if when.get(name) == text for other in when if when[other] == OPTIONS[other].default
    }
    return {other: OPTIONS[other].values[-1] for other in others - {name}}


def follow_from(name: str) -> list[str]:
    """Return the options whose default is computed from this one."""
    return [other.name for other in OPTIONS.values() if other.derived and f"cookiecutter.{name} " in other.default]


def test_enter_accepts_every_default(press: Press, template: Template) -> None:
    """Pressing Enter throughout gives the default answers, after confirmation."""
    assert press(answer_all() + YES).answers == template.complete({})


def test_title_says_the_version(press: Press) -> None:
    """The first line names the program and its version."""
    assert press(answer_all() + YES).screen.startswith(f"Dockwright {__version__}: ")


def test_every_question_has_its_place(press: Press) -> None:
    """Each question says which of how many it is."""
    shown = press(answer_all() + YES).shown.replace("\xa0", " ")
    for number, name in enumerate(NAMES, 1):
        assert f"? {OPTIONS[name].wording} ({number} of {len(NAMES)})" in shown


def test_added_option_is_asked(press: Press, tmp_path: Path) -> None:
    """An option that is added to `cookiecutter.json` needs no change of the wizard."""
    template = copy_template(tmp_path / "copy", **add_option("extra", "a", "b"))
    session = press(answer_all() + DOWN + ENTER + YES, using=template)
    assert session.answers == template.complete({"extra": "b"})
    assert "✓ A made-up question: b" in session.screen


def test_every_answer_is_confirmed_and_summarised(press: Press, template: Template) -> None:
    """Each answer is shown once it is given, and again in the summary, with the directory."""
    screen = press(EVERYTHING + ENTER * len(OPTIONS) + YES).screen
    defaults = template.complete({})
    for option in template.options.values():
        label = option.choices[0].label if option.choices else defaults[option.name]
        assert f"✓ {option.wording}: {label}" in screen
        assert re.search(f"   {option.title} +{re.escape(label)}", screen)
    assert "   Directory " in screen


def test_everything_asks_the_extra_questions(press: Press) -> None:
    """Who chooses everything is asked what is otherwise left at its default."""
    assert TEMPLATE.extra
    unusual = unusual_answers(TEMPLATE)
    keys = EVERYTHING + "".join(answer(name, unusual.get(name, "")) for name in OPTIONS)
    answers = press(keys + YES).answers
    assert answers is not None
    assert answers.items() >= unusual.items()


def test_declining_gives_no_answers(press: Press) -> None:
    """A no at the summary gives no answers."""
    assert press(answer_all() + NO).answers is None


def test_answers_are_the_keys_pressed(press: Press, template: Template) -> None:
    """The answers are what was typed and chosen, and the slug is derived from the name."""
    given = {"project_name": "Crème Brûlée", "framework": "fastapi", "base_image": "full", "port": "8000"}
    answers = press(answer_all(**given) + YES).answers
    assert answers == template.complete(given | {"project_slug": "creme-brulee"})


def test_spaces_around_an_answer_are_ignored(press: Press) -> None:
    """Spaces before and after a text are stripped."""
    answers = press(answer_all(project_name=" Shop  ") + YES).answers
    assert answers is not None
    assert answers["project_name"] == "Shop"


@pytest.mark.parametrize("key", [TAB, RIGHT], ids=["tab", "right"])
def test_default_can_be_edited(press: Press, key: str) -> None:
    """Tab and the right arrow put the proposed text into an empty field."""
    default = OPTIONS["project_name"].default
    answers = press(answer_all(project_name=f"{key} 2{key}") + YES).answers
    assert answers is not None
    assert answers["project_name"] == f"{default} 2"


def test_pasted_line_break_is_a_space(press: Press) -> None:
    """A paste with a line break does not answer the question, and ends up on one line; in a list it does nothing."""
    paste = "\x1b[200~Two\r\nlines\n\x1b[201~"
    keys = STEPS + paste + ENTER + answer_all(since=NAMES[1], until="framework") + paste + answer_all(since="framework")
    answers = press(keys + YES).answers
    assert answers is not None
    assert (answers["project_name"], answers["framework"]) == ("Two lines", OPTIONS["framework"].default)


@pytest.mark.parametrize("typed", ["{{ x }}", "{% x %}", "$(id)", "x" * 201, "🛒"])
def test_refused_name_is_not_accepted(press: Press, typed: str) -> None:
    """Enter does nothing while a rule is broken; the text can be corrected."""
    answers = press(STEPS + typed + ENTER + CTRL_U + answer_all(project_name="Shop")[len(STEPS) :] + YES).answers
    assert answers is not None
    assert answers["project_name"] == "Shop"


def test_existing_directory_is_refused_at_the_slug(press: Press, output_dir: Path) -> None:
    """A slug whose directory exists is not accepted: the wizard waits for another one."""
    (output_dir / "product-api").mkdir()
    keys = answer_all(until="project_slug") + ENTER + answer_all(since="project_slug", project_slug="other")
    answers = press(keys + YES).answers
    assert answers is not None
    assert answers["project_slug"] == "other"


def test_existing_directory_as_flag_is_refused_at_once(press: Press, output_dir: Path) -> None:
    """A given slug whose directory exists is refused before the first question."""
    (output_dir / "shop").mkdir()
    with pytest.raises(TargetExistsError):
        press("", project_slug="shop")


def test_target_takes_any_slug(press: Press, output_dir: Path) -> None:
    """Where the directory is known, the short name may be the one of another directory."""
    target = output_dir / "here"
    for directory in (target, output_dir / "product-api"):
        directory.mkdir()
    session = press(answer_all() + YES, target=target)
    assert session.answers is not None
    assert session.answers["project_slug"] == "product-api"
    assert f"Directory{target}Files" in "".join(session.screen.split())


def test_summary_says_what_is_kept(press: Press, output_dir: Path) -> None:
    """What a repository keeps is no file of the project, and its .gitignore may lack lines that matter."""
    target = output_dir / "here"
    target.mkdir()
    for name in ("README.md", ".gitignore"):
        (target / name).write_text("mine\n", encoding="utf-8")
    screen = " ".join(press(answer_all() + YES, target=target).screen.split())
    assert "Kept .gitignore, README.md: yours stay as they are" in screen
    assert "Your .gitignore lacks these lines; without them passwords can be committed: .env, secrets/" in screen
    files = screen.partition(" Files ")[2].partition(" Stack ")[0]
    assert "compose.yaml" in files
    assert "README.md" not in files
    assert ".gitignore" not in files


def test_project_without_a_temporary_directory(press: Press, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing can be rendered for the summary, it has the answers alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    session = press(answer_all(project_name="Without a look") + YES)
    assert session.answers is not None
    assert "Without a look" in session.screen


def test_unusable_output_directory_is_refused_at_once(press: Press, output_dir: Path) -> None:
    """An output directory that can't be written to is refused before the first question."""
    output_dir.rmdir()
    output_dir.touch()
    with pytest.raises(OutputDirectoryError):
        press("")


def test_invalid_derived_slug_has_to_be_typed(press: Press) -> None:
    """A name whose derived slug breaks a rule is accepted, but the slug must be typed."""
    refused = answer_all(until="project_slug", project_name="Con") + ENTER
    answers = press(refused + answer_all(since="project_slug", project_slug="con-api") + YES).answers
    assert answers is not None
    assert (answers["project_name"], answers["project_slug"]) == ("Con", "con-api")


def test_given_answers_are_shown_and_not_asked(press: Press, template: Template) -> None:
    """A question that a flag answers is not asked: it is shown as answered where it would have been."""
    given = {"project_name": "Shop", "framework": "fastapi", "redis": "queue"}
    session = press(STEPS + ENTER * (len(NAMES) - len(given)) + YES, **given)
    assert session.answers == template.complete(given)
    assert f"? {template.options['framework'].wording} " not in session.shown
    marks = re.findall("✓ (.*?): ", session.screen)
    assert marks[1:] == [OPTIONS[name].wording for name in NAMES]
    assert "✓ Web framework: FastAPI" in session.screen


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("way", ["asked", "given"])
def test_preset_answers_its_questions(press: Press, template: Template, name: str, way: str) -> None:
    """A preset's answers are taken, and shown; the other questions are asked."""
    given = PRESETS[name].answers
    choose = DOWN * (list(PRESETS).index(name) + 1) + ENTER if way == "asked" else ""
    asked = [option for option in NAMES if option not in given]
    session = press(choose + ENTER * len(asked) + YES, preset=None if way == "asked" else name)
    assert session.answers == template.complete(given)
    for option in given:
        assert f"? {OPTIONS[option].wording} " not in session.shown
        assert f"✓ {OPTIONS[option].wording}: " in session.screen


def test_flag_wins_over_a_preset(press: Press) -> None:
    """An answer that is given as a flag stays, whatever the preset says."""
    answers = press(ENTER * len(NAMES) + YES, preset="api", framework="flask").answers
    assert answers is not None
    assert (answers["framework"], answers["database"]) == ("flask", PRESETS["api"].answers["database"])


def test_another_preset_forgets_the_first(press: Press, template: Template) -> None:
    """Back at the first question, another start replaces the answers of the preset."""
    answers = press(DOWN * 2 + ENTER + BACK + UP * 2 + ENTER + answer_all()[len(STEPS) :] + YES).answers
    assert answers == template.complete({})


@pytest.mark.parametrize("name", OPTIONS)
def test_change_is_summarised(press: Press, template: Template, output_dir: Path, name: str) -> None:
    """After a change, the summary shows the new answer, and the project is generated with it."""
    option = OPTIONS[name]
    text, label = other_answer(option)
    others = compatible_answers(name, text)
    session = press(answer_all(**others) + change(name, text) + ENTER * len(follow_from(name)) + YES)
    assert session.answers == template.complete({**others, name: text})
    assert f"✓ {option.wording}: {label}" in session.screen
    (shown,) = re.findall(f"   {option.title} +(.*)", session.screen)
    assert shown == label
    assert session.answers is not None
    assert f"Directory{output_dir / session.answers['project_slug']}Files" in "".join(session.screen.split())


def test_change_starts_from_the_current_answer(press: Press, template: Template) -> None:
    """When an answer is changed, its current choice is selected."""
    first = change("database", "postgresql")
    answers = press(answer_all() + first + change("database", "mariadb", current="postgresql") + YES).answers
    assert answers == template.complete({"database": "mariadb"})


def test_changed_name_asks_for_the_slug_again(press: Press) -> None:
    """A slug that was left at its default is asked again with the new default; a typed one stays."""
    answers = press(answer_all() + change("project_name", "Shop") + ENTER + YES).answers
    assert answers is not None
    assert answers["project_slug"] == "shop"
    answers = press(answer_all(project_slug="own") + change("project_name", "Shop") + YES).answers
    assert answers is not None
    assert (answers["project_name"], answers["project_slug"]) == ("Shop", "own")


def test_change_can_be_left(press: Press, template: Template) -> None:
    """Going back from the list of answers, or from the question that was picked there, changes nothing."""
    pick = CHANGE + DOWN * list(OPTIONS).index("database") + ENTER
    session = press(answer_all() + CHANGE + BACK + pick + DOWN + BACK + YES)
    assert session.answers == template.complete({})
    assert len(re.findall("   Database ", session.screen)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_back_changes_one_answer(press: Press, template: Template, name: str) -> None:
    """From the summary, each question can be gone back to and changed; only what follows from it is asked again."""
    text, label = other_answer(OPTIONS[name])
    steps = len(NAMES) - NAMES.index(name)
    session = press(answer_all() + BACK * steps + answer(name, text) + ENTER * len(follow_from(name)) + YES)
    assert session.answers == template.complete({name: text})
    assert f"✓ {OPTIONS[name].wording}: {label}" in session.screen
    assert len(re.findall("✓ ", session.screen)) == len(NAMES) + 1


@pytest.mark.parametrize("name", NAMES)
def test_back_selects_the_earlier_answer(press: Press, template: Template, name: str) -> None:
    """After going back, Enter keeps the answer that was given, and nothing else is asked again."""
    text, _ = other_answer(OPTIONS[name])
    answered = answer_all(until=name) + answer(name, text)
    rest = answer_all(since=NAMES[NAMES.index(name) + 1]) if name != NAMES[-1] else ""
    assert press(answered + BACK + ENTER + rest + YES).answers == template.complete({name: text})


def test_back_from_the_first_question_stays(press: Press, template: Template) -> None:
    """There is nothing before the first question."""
    assert press(BACK * 3 + answer_all() + YES).answers == template.complete({})


def test_back_passes_over_given_answers(press: Press, template: Template) -> None:
    """Going back skips a question that a flag has answered."""
    keys = answer_all(until="base_image") + BACK + answer("python_version", "3.13")
    answers = press(keys + answer_all(since="database") + YES, base_image="full").answers
    assert answers == template.complete({"python_version": "3.13", "base_image": "full"})


def test_choice_in_conflict_is_skipped(press: Press, conflicted: Template) -> None:
    """A choice in conflict with an earlier answer can't be selected: the arrow keys skip it."""
    answers = press(answer_all(**CONFLICTING) + YES, using=conflicted).answers
    choices = OPTIONS["redis"].values
    assert answers is not None
    assert answers["database"] == CONFLICTING["database"]
    assert answers["redis"] == choices[choices.index(CONFLICTING["redis"]) + 1]


def test_conflict_is_resolved_by_a_change(press: Press, conflicted: Template) -> None:
    """Changing the earlier answer makes the choice available."""
    changes = change("database", "mariadb", current="none") + change("redis", "queue")
    answers = press(answer_all(database="none") + changes + YES, using=conflicted).answers
    assert answers is not None
    assert (answers["database"], answers["redis"]) == ("mariadb", "queue")


def test_answer_that_no_longer_fits_is_asked_again(press: Press, conflicted: Template) -> None:
    """After a change of an earlier answer, a later one in conflict with it is asked again."""
    changed = change("database", CONFLICTING["database"])
    answers = press(answer_all(redis=CONFLICTING["redis"]) + changed + ENTER + YES, using=conflicted).answers
    assert answers is not None
    assert (answers["database"], answers["redis"]) == (CONFLICTING["database"], OPTIONS["redis"].default)


def test_question_without_a_choice_left_is_refused(press: Press, tmp_path: Path) -> None:
    """If every choice is in conflict with given answers, the reasons are reported."""
    conflicts = [{"when": {"database": "none", "redis": choice}, "why": "no"} for choice in OPTIONS["redis"].values]
    template = copy_template(tmp_path / "closed", _conflicts=conflicts)
    with pytest.raises(RefusedAnswersError):
        press(answer_all(), using=template, database="none")


@pytest.mark.parametrize("answered", range(len(NAMES) + 2), ids=["start", *NAMES, "summary"])
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


@pytest.mark.parametrize("answered", [0, 1], ids=["list", "text"])
def test_end_of_input_quits(press: Press, answered: int) -> None:
    """Ctrl-D quits at a list, and at an empty text."""
    with pytest.raises(EOFError):
        press(ENTER * answered + CTRL_D)
