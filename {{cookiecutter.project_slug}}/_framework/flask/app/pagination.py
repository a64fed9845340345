"""Pages of a list: what a client asks for, and the part of the answer that every list has."""

from marshmallow import Schema, fields, validate


class PageQuerySchema(Schema):
    """Which page of a list to return."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 1_000_000))
    page_size = fields.Integer(load_default=20, validate=validate.Range(1, 100))


class PageSchema(Schema):
    """A page of a list; add `items`."""

    page = fields.Integer(required=True)
    page_size = fields.Integer(required=True)
    total = fields.Integer(required=True, metadata={"description": "The number of items on all pages."})
