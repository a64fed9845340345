"""The shapes that the API takes and returns."""

{% if cookiecutter.database != "none" %}
from decimal import Decimal

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

CENTS = Decimal("0.01")
LARGEST_PRICE = Decimal("9999999999.99")
LARGEST_INTEGER = 2**31 - 1
# No database stores the NUL character or half of a surrogate pair.
TEXT = validate.Regexp(r"[^\x00\ud800-\udfff]*\Z", error="Not valid text.")


def two_places(price: Decimal) -> None:
    """Refuse a price in fractions of a cent."""
    # One that is out of range has been refused, and may be too large to be divided.
    if price.copy_abs() <= LARGEST_PRICE and price % CENTS:
        raise ValidationError("Must have at most two decimal places.")


class ProductInput(Schema):
    """What a client says of a product."""

    class Meta:
        """Pass over what the service sets itself, so that an answer can be edited and sent back."""

        unknown = EXCLUDE

    name = fields.String(required=True, validate=[validate.Length(1, 200), TEXT])
    description = fields.String(load_default="", validate=[validate.Length(0, 2000), TEXT])
    price = fields.Decimal(
        required=True,
        as_string=True,
        validate=[validate.Range(0, LARGEST_PRICE), two_places],
        metadata={"example": "19.99"},
    )
    stock = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, LARGEST_INTEGER))


class ProductOutput(ProductInput):
    """A product."""

    id = fields.Integer(required=True)
    created_at = fields.DateTime(required=True, format="iso")
    updated_at = fields.DateTime(required=True, format="iso")
{% else %}
from marshmallow import Schema, fields, validate


class ProductOutput(Schema):
    """A product."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    price = fields.Decimal(required=True, as_string=True, metadata={"example": "19.99"})
    stock = fields.Integer(required=True)
    created_at = fields.DateTime(required=True, format="iso")
    updated_at = fields.DateTime(required=True, format="iso")
{% endif %}


class PageInput(Schema):
    """Which part of a list a client wants."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 1_000_000))
    page_size = fields.Integer(load_default=20, validate=validate.Range(1, 100))


class ProductPage(Schema):
    """A part of the list of products, and how many there are in all."""

    items = fields.List(fields.Nested(ProductOutput), required=True)
    page = fields.Integer(required=True)
    page_size = fields.Integer(required=True)
    total = fields.Integer(required=True)
{% if "queue" in cookiecutter.redis %}


class Report(Schema):
    """A report, and how far its making has come."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["queued", "started", "finished", "failed"]))
    result = fields.Dict(required=True, allow_none=True)
{% endif %}
