"""Fields that marshmallow doesn't have: amounts of money, and text that every database can store."""

import re
from decimal import Decimal
from typing import Any

from marshmallow import fields

MONEY = r"[0-9]{1,10}(\.[0-9]{1,2})?"
# No database stores the NUL character or half of a surrogate pair.
TEXT = r"[^\x00\ud800-\udfff]*"


class Money(fields.Field[Decimal]):
    """An amount such as "19.99": a string, because many clients round JSON numbers."""

    default_error_messages = {"invalid": 'Must be an amount such as "19.99".'}  # noqa: RUF012 # as marshmallow has it

    def _serialize(self, value: Decimal | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else f"{value:.2f}"

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Decimal:
        if not isinstance(value, str) or not re.fullmatch(MONEY, value):
            raise self.make_error("invalid")
        return Decimal(value)


class Text(fields.String):
    """A string that can be stored."""

    default_error_messages = {"unstorable": "Must not contain NUL or unpaired surrogates."}  # noqa: RUF012

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if not re.fullmatch(TEXT, text):
            raise self.make_error("unstorable")
        return text
