"""Completion for shells: commands, flags and choices, made from what the commands declare."""

from argparse import Namespace
from collections.abc import Collection, Iterator

from dockwright.commands import BARE, COMMANDS, Command, Flag, find_command
from dockwright.errors import UsageError
from dockwright.options import Choice, choose
from dockwright.template import Template

BASH = """\
# Completion for bash: put  eval "$(dockwright completion bash)"  into ~/.bashrc
_dockwright() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command=${{COMP_WORDS[1]}} words=
    # `--flag=value` is three words to bash.
    case "$word $previous" in
        "= "*) word= ;;
        *" =") previous=${{COMP_WORDS[COMP_CWORD - 2]}} ;;
    esac
    case $command in {names}) ;; *) command={bare} ;; esac
    case "$command $previous" in
{cases}
    esac
    if [[ $COMP_CWORD == 1 ]]; then words+=" {commands}"; fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o bashdefault -o default -F _dockwright dockwright
"""
ZSH = """\
#compdef dockwright
# Completion for zsh: put  eval "$(dockwright completion zsh)"  into ~/.zshrc, after compinit
_dockwright() {{
    local command={bare}
    local -a commands=({commands})
    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        _describe command commands
        return
    fi
    case $words[2] in
        {names})
            command=$words[2]
            shift words
            (( CURRENT-- ))
            ;;
    esac
    case $command in
{cases}
    esac
}}
if [[ $funcstack[1] == _dockwright ]]; then _dockwright "$@"; else compdef _dockwright dockwright; fi
"""
FISH = """\
# Completion for fish: put  dockwright completion fish | source  into ~/.config/fish/config.fish
{lines}
"""


def bash(template: Template, commands: Collection[Command]) -> str:
    """Return the script for bash."""
    cases = []
    for command in commands:
        flags = command.every_flag(template)
        # For a value without choices, bash offers the names of files.
        for choices in dict.fromkeys(flag.values for flag in flags if flag.metavar):
            same = (name for flag in flags if flag.metavar and flag.values == choices for name in flag.names)
            patterns = " | ".join(f'"{command.name} {name}"' for name in same)
            cases.append(f'        {patterns}) words="{" ".join(choices)}" ;;')
        words = " ".join([*command.operands, *(name for flag in flags for name in flag.names)])
        cases.append(f'        "{command.name} "*) words="{words}" ;;')
    names = [command.name for command in commands]
    return BASH.format(names=" | ".join(names), bare=BARE, cases="\n".join(cases), commands=" ".join(names))


def zsh(template: Template, commands: Collection[Command]) -> str:
    """Return the script for zsh."""
    cases = []
    for command in commands:
        operand = f"1:word:({' '.join(command.operands)})" if command.operands else "1:word:_directories"
        specifications = [
            *(text for flag in command.every_flag(template) for text in _specify(flag)),
            *([operand] if command.operand else []),
        ]
        arguments = " \\\n            ".join(_quote(text) for text in specifications)
        cases.append(f"        {command.name}) _arguments {arguments} ;;")
    return ZSH.format(
        bare=BARE,
        commands=" ".join(_quote(f"{command.name}:{command.summary}") for command in commands),
        names=" | ".join(command.name for command in commands),
        cases="\n".join(cases),
    )


def fish(template: Template, commands: Collection[Command]) -> str:
    """Return the script for fish."""
    others = " ".join(command.name for command in commands if command.name != BARE)
    lines = []
    for command in commands:
        lines.append(f"complete -c dockwright -n __fish_use_subcommand -a {command.name} -d {_quote(command.summary)}")
        seen = f"not __fish_seen_subcommand_from {others}"
        if command.name != BARE:
            seen = f"__fish_seen_subcommand_from {command.name}"
        if command.operands:
            lines.append(f"complete -c dockwright -n '{seen}' -f -a '{' '.join(command.operands)}'")
        for flag in command.every_flag(template):
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names)
            value = f" -x -a '{' '.join(flag.values)}'" if flag.choices else " -r" if flag.metavar else ""
            lines.append(f"complete -c dockwright -n '{seen}' {names}{value} -d {_quote(flag.text)}")
    return FISH.format(lines="\n".join(lines))


def _specify(flag: Flag) -> Iterator[str]:
    """Yield how zsh's _arguments wants a flag, under each of its names."""
    text = flag.text.replace("[", r"\[").replace("]", r"\]").replace(":", r"\:")
    for name in flag.names:
        if flag.choices:
            yield f"{name}=[{text}]:value:({' '.join(flag.values)})"
        elif flag.metavar:
            yield f"{name}=[{text}]:value:_files"
        else:
            yield f"{name}[{text}]"


def _quote(text: str) -> str:
    """Quote a text, of which none has a backslash, for zsh and fish alike."""
    return "'{}'".format(text.replace("'", "'\"'\"'"))


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}


def run(template: Template, arguments: Namespace) -> int:
    """Print the script for a shell."""
    if not arguments.operand:
        message = f"name a shell: dockwright completion {' | '.join(SHELLS)}"
        raise UsageError(message)
    shell = choose("SHELL of `dockwright completion`", arguments.operand, [Choice(shell, shell) for shell in SHELLS])
    print(SHELLS[shell](template, [find_command(name) for name in COMMANDS]), end="")
    return 0


COMMAND = Command(
    "completion",
    f"print what a shell completes with: {', '.join(SHELLS)}",
    run,
    operand="SHELL",
    operands=tuple(SHELLS),
)
