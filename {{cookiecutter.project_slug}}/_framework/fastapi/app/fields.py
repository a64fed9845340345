"""Field types that pydantic doesn't have: amounts of money, and what can be stored."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

# What the database's INTEGER can hold.
MAX_INTEGER = 2**31 - 1
MONEY = r"^[0-9]{1,10}(\.[0-9]{1,2})?$"


def parse_money(value: Any) -> Decimal:
    """Return the amount with two decimal places; Decimal() itself also takes "1_0", " 1" and "1e3"."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not re.fullmatch(MONEY, value):
        raise ValueError('must be an amount such as "19.99"')
    return Decimal(value).quantize(Decimal("0.01"))


def refuse_other_types(value: Any) -> Any:
    """Refuse what pydantic would convert to a number, such as "2" and true."""
    if type(value) not in (int, float):
        raise ValueError("must be an integer")
    return value


# A string, because many clients round JSON numbers.
Money = Annotated[
    Decimal,
    BeforeValidator(parse_money),
    WithJsonSchema({"type": "string", "pattern": MONEY, "examples": ["19.99"]}),
]

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
