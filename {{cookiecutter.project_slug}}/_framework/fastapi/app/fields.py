"""Field types that pydantic doesn't have: amounts of money, and what can be stored."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

# What the database's INTEGER can hold.
MAX_INTEGER = 2**31 - 1
MONEY = r"^[0-9]{1,10}(\.[0-9]{1,2})?$"


def parse_money(value: Any) -> int:
    """Return the cents of an amount; Decimal() itself also takes "1_0", " 1" and "1e3"."""
    if not isinstance(value, str) or not re.fullmatch(MONEY, value):
        raise ValueError('must be an amount such as "19.99"')
    return int(Decimal(value) * 100)


def format_money(cents: int) -> str:
    """Return the amount with two decimal places."""
    return f"{Decimal(cents) / 100:.2f}"


def refuse_other_types(value: Any) -> Any:
    """Refuse what pydantic would convert to a number, such as "2" and true."""
    if type(value) not in (int, float):
        raise ValueError("must be an integer")
    return value


# An amount in cents; in JSON a string, because many clients round numbers.
MONEY_SCHEMA = WithJsonSchema({"type": "string", "pattern": MONEY, "examples": ["19.99"]})
MoneyInput = Annotated[int, BeforeValidator(parse_money), MONEY_SCHEMA]
MoneyOutput = Annotated[int, PlainSerializer(format_money), MONEY_SCHEMA]

# For an int in a JSON body, after its Field. Not `strict=True`: in JSON, 2.0 is an integer too.
NumberOnly = BeforeValidator(refuse_other_types)

{% if cookiecutter.database == "postgresql" %}
# PostgreSQL can't store NUL.
{% else %}
# No NUL: many programs end a text there.
{% endif %}
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]

# The id of a row, in a path.
RowId = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
