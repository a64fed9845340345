"""Fields that marshmallow doesn't have: amounts of money, and text that can be stored."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields

# The largest integer of a database column.
MAX_INTEGER = 2**31 - 1
MONEY = r"^[0-9]{1,10}(\.[0-9]{1,2})?$"
{% if cookiecutter.database == "postgresql" %}
# Neither NUL, which PostgreSQL can't store, nor half of a surrogate pair, which UTF-8 can't encode.
{% else %}
# Neither NUL, where many programs end a text, nor half of a surrogate pair, which UTF-8 can't encode.
{% endif %}
TEXT = r"[^\x00\ud800-\udfff]*"


class Money(fields.Field[int]):
    """An amount in cents; in JSON a string such as "19.99", because many clients round numbers."""

    default_error_messages = {"invalid": 'Must be an amount such as "19.99".'}  # noqa: RUF012 # marshmallow declares it this way

    def __init__(self, *, metadata: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Describe the type, which apispec can't tell from the class."""
        super().__init__(metadata={"type": "string", "pattern": MONEY, **(metadata or {})}, **kwargs)

    def _serialize(self, value: int | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else f"{Decimal(value) / 100:.2f}"

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(MONEY, value):
            raise self.make_error("invalid")
        return int(Decimal(value) * 100)


class Text(fields.String):
    """A string that can be stored."""

    default_error_messages = {"unstorable": "Must not contain NUL or unpaired surrogates."}  # noqa: RUF012 # as above

    def __init__(self, *, metadata: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Describe what can be described: JSON Schema has no surrogates."""
        super().__init__(metadata={"pattern": r"^[^\x00]*$", **(metadata or {})}, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if not re.fullmatch(TEXT, text):
            raise self.make_error("unstorable")
        return text


class Integer(fields.Integer):
    """An integer as JSON has it: 2 and 2.0, not "2"."""

    def __init__(self, **kwargs: Any) -> None:
        """Refuse strings and fractions."""
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return super()._deserialize(value, *args, **kwargs)
