"""The Makefile's commands that need no Docker do what the README says."""

import shutil
from pathlib import Path

from tests.render.conftest import Complaints, refuse

# Write the passwords, twice: the second time changes nothing.
SECRETS = """
set -e
trap 'rm -rf secrets before' EXIT
umask 0
make -s secrets
cp -r secrets before
make -s secrets
diff -r before secrets
test "$(stat -c %a secrets)" = 700
for file in secrets/*; do
    test "$(stat -c %a "$file")" = 644
    test "$(wc -c <"$file")" = 64
done
test "$(cat secrets/* | fold -w 64 | sort -u | wc -l)" = "$(ls secrets | wc -l)"
"""


def test_secrets(answers: dict[str, str], project: Path, complaints: Complaints) -> None:
    """Each password is random, and is written once; nobody but the owner gets at it, whatever the umask."""
    if answers["database"] in ("postgresql", "mariadb") or answers["redis"] != "none":
        if not shutil.which("make"):
            refuse("NOT TESTED: whether `make secrets` writes passwords: make is not installed")
        assert complaints(project, ["Makefile"], ["sh", "-c", SECRETS]) == ""
