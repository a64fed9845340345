"""`cookiecutter.json` is the only definition of the options."""

import ast
from pathlib import Path

import pytest
import yaml

from dockwright.commands import HELP, find_command
from dockwright.errors import InvalidChoiceError, RefusedAnswersError, UnknownOptionError
from dockwright.template import Template
from tests.unit.checkout import PACKAGE, read_definition

DEFINITION = read_definition()


def test_options_are_those_of_cookiecutter(template: Template) -> None:
    """Every public key of `cookiecutter.json` is an option, in the same order."""
    assert list(template.options) == [name for name in DEFINITION if not name.startswith("_")]


def test_default_is_the_first_choice(template: Template) -> None:
    """An option's default is the same as cookiecutter's: the first choice, or the text."""
    for option in template.options.values():
        assert option.default == (option.values or (DEFINITION[option.name],))[0]


def test_every_question_explains_itself(template: Template) -> None:
    """Every option has a wording, every choice has a label and an explanation, every free text has a rule."""
    for option in template.options.values():
        assert option.wording
        assert all(choice.label and choice.explanation for choice in option.choices)
        assert bool(option.rule) != bool(option.choices)


def test_every_preset_is_a_project(template: Template, tmp_path: Path) -> None:
    """A preset has a reason and only answers of options, which are accepted and make a project."""
    for preset in template.presets.values():
        assert preset.why
        assert preset.answers
        assert template.render({**preset.answers, "project_slug": preset.name}, tmp_path).is_dir()


def test_preset_is_what_its_sentence_says(template: Template, tmp_path: Path) -> None:
    """What the reason of a preset promises is in its project."""
    promised = set()
    for preset in template.presets.values():
        project = template.render({**preset.answers, "project_slug": preset.name}, tmp_path)
        files = {path.relative_to(project).as_posix() for path in project.rglob("*")}
        services = set(yaml.safe_load((project / "compose.yaml").read_text(encoding="utf-8"))["services"])
        found = {
            "a guide": "GUIDE.md" in files,
            "keeps its data": "app/database.py" in files,
            "a database of its own": "db" in services,
            "a cache": "app/cache.py" in files,
            "a second container": "worker" in services,
            "nothing but the service": services == {"web"},
            "without sample code": "app/products" not in files,
        }
        for words, is_there in found.items():
            assert words not in preset.why or is_there, (preset.name, words)
        promised |= {words for words in found if words in preset.why}
    assert promised == found.keys()


def test_support_of_python(template: Template) -> None:
    """Each version of Python is supported for five years, and is released in October: 3.14 in 2025 (PEP 602)."""
    for choice in template.options["python_version"].choices:
        minor = int(choice.value.removeprefix("3."))
        assert f"supported until October {2016 + minor}" in choice.explanation


def test_names_are_unambiguous(template: Template) -> None:
    """No flag has two meanings, and no choice is the word that asks for an explanation."""
    flags = [name for flag in find_command("new").every_flag(template) for name in flag.names]
    assert len(flags) == len(set(flags))
    assert set(DEFINITION["_aliases"].values()) <= set(template.options)
    assert HELP not in {value for option in template.options.values() for value in option.values}
    for option in template.options.values():
        assert len({value.casefold() for value in option.values}) == len(option.values)


def test_other_names_lead_to_choices(template: Template) -> None:
    """Each other name of a choice leads to one, and is no choice itself."""
    choices = {value for option in template.options.values() for value in option.values}
    assert set(DEFINITION["_synonyms"].values()) <= choices
    assert not DEFINITION["_synonyms"].keys() & choices


def test_extra_options_exist(template: Template) -> None:
    """What is asked only of who wants to choose everything is an option."""
    assert set(template.extra) <= set(template.options)


def test_default_answers_are_accepted(template: Template) -> None:
    """The defaults break no rule."""
    template.check(template.complete({}))


def test_slug_follows_the_name(template: Template) -> None:
    """The default of a derived option is computed as in cookiecutter."""
    assert template.options["project_slug"].derived
    assert template.default("project_slug", {"project_name": "Crème & Café"}) == "creme-cafe"


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"colour": "blue"}, UnknownOptionError),
        ({"framework": "django"}, InvalidChoiceError),
        ({"port": "80"}, RefusedAnswersError),
    ],
    ids=["option", "choice", "rule"],
)
def test_wrong_answers_are_refused(template: Template, answers: dict[str, str], error: type[Exception]) -> None:
    """An unknown option, an unknown choice and a broken rule each raise their own error."""
    with pytest.raises(error):
        template.check(answers)


def test_no_choice_is_copied_into_python(template: Template) -> None:
    """The package repeats no choice and no default of the template."""
    defined = {text for option in template.options.values() for text in (option.default, *option.values)}
    for module in PACKAGE.glob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not constants & defined, module.name
