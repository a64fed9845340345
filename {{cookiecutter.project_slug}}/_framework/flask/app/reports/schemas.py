"""The reports as JSON."""

from marshmallow import Schema, fields, validate


class ReportSchema(Schema):
    """A report and its progress."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["queued", "started", "finished", "failed"]))
    result = fields.Dict(required=True, allow_none=True)
