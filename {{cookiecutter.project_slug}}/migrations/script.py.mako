"""${message[:1].upper()}${message[1:].rstrip(".")}."""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Apply the change."""
<%
    # What can break the version in production: it may use what is dropped or changed, and doesn't write what is required.
{% if cookiecutter.database == "postgresql" %}
    changes = ("drop_table(", "drop_column(", "alter_column(", "add_enum_value(", "sync_enum_values(")
{% else %}
    changes = ("drop_table(", "drop_column(", "alter_column(")
{% endif %}
    constraints = ("create_unique_constraint(", "create_check_constraint(", "create_foreign_key(")
    lines = (upgrades or "pass").splitlines()
    breaking = [line for line in lines if any(name in line for name in (*changes, *constraints))]
    # A unique index of a new table refuses nothing that is there.
    new = [line.split("'")[1] for line in lines if "create_table('" in line]
    unique = [line for line in lines if "unique=True" in line]
    breaking += [line for line in unique if not any(f"ix_{table}_" in line for table in new)]
    required = [line for line in lines if "add_column(" in line and "nullable=False" in line]
    breaking += [line for line in required if "server_default=" not in line]
    # What an empty migration will do, only its author knows: rename_table() or execute(), for example.
    breaking += [line for line in lines if line.strip() == "pass"]
%>\
% if breaking:
    # WARNING: the version of the service that is in production uses the tables while this runs, and again after a
    # rollback. It has to work before and after this change: see "Roll back" in OPERATIONS.md.
% endif
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Revert the change."""
    ${downgrades if downgrades else "pass"}
