"""The products as JSON."""

{% if cookiecutter.database != "none" %}
from marshmallow import EXCLUDE, Schema, fields, validate
{% else %}
from marshmallow import Schema, fields
{% endif %}

{% if cookiecutter.database != "none" %}
from app.fields import MAX_INTEGER, Integer, Money, Text
{% else %}
from app.fields import Money
{% endif %}
from app.pagination import PageSchema

{% if cookiecutter.database != "none" %}

class ProductInputSchema(Schema):
    """A product as a client sends it."""

    class Meta:
        """Ignore read-only fields, so that the body of a GET can be PUT back."""

        unknown = EXCLUDE

    name = Text(required=True, validate=validate.Length(1, 200))
    description = Text(load_default="", validate=validate.Length(0, 2000))
    price = Money(required=True, attribute="price_cents")
    stock = Integer(load_default=0, validate=validate.Range(0, MAX_INTEGER))


class ProductSchema(ProductInputSchema):
    """A product."""

    id = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)
{% else %}

class ProductSchema(Schema):
    """A product."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    price = Money(required=True, attribute="price_cents")
    stock = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)
{% endif %}


class ProductPageSchema(PageSchema):
    """A page of products."""

    items = fields.List(fields.Nested(ProductSchema), required=True)
