extension OpenAPI {
    static let messageSchemas = #"""
        "Channel": {"type": "string", "enum": ["sms", "voice", "email"]},
        "Priority": {"type": "string", "enum": ["otp", "transactional", "bulk"]},
        "MessageStatus": {"type": "string", "enum": ["queued", "sending", "accepted", "unknown", "delivered", "undelivered", "failed", "expired", "cancelled"]},
        "Metadata": {
            "type": "object", "maxProperties": 20, "description": "Up to 2048 bytes; given back as it came.",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]}
        },
        "NewMessage": {
            "type": "object", "additionalProperties": false, "required": ["to", "body"],
            "properties": {
                "channel": {"$ref": "#/components/schemas/Channel", "default": "sms"},
                "to": {"type": "string", "description": "A number in E.164, a plus sign and 7 to 15 digits; for `email` a mail address."},
                "body": {"type": "string", "minLength": 1, "description": "Up to 10 segments of SMS; for `voice` up to 1000 characters, for `email` up to 16 KiB."},
                "from": {"type": "string", "description": "1 to 15 printable ASCII characters; for `email` an address or `Name <address>`, up to 320 characters."},
                "language": {"type": "string", "default": "en", "description": "`voice` only."},
                "voice": {"type": "string", "minLength": 1, "maxLength": 64, "description": "`voice` only."},
                "subject": {"type": "string", "minLength": 1, "maxLength": 200, "description": "`email` only, and required there."},
                "priority": {"$ref": "#/components/schemas/Priority", "default": "transactional"},
                "ttl": {"type": "integer", "minimum": 10, "maximum": 259200, "description": "Seconds in which it may be handed over."},
                "send_at": {"type": "string", "format": "date-time", "description": "Up to seven days ahead."},
                "reference": {"type": "string", "minLength": 1, "maxLength": 64},
                "metadata": {"$ref": "#/components/schemas/Metadata"},
                "caller": {"$ref": "#/components/schemas/Caller"}
            }
        },
        "AcceptedMessage": {
            "type": "object", "additionalProperties": false, "required": ["id", "status"],
            "properties": {"id": {"type": "string", "format": "uuid"}, "status": {"const": "queued"}}
        },
        "AcceptedMessages": {
            "type": "object", "additionalProperties": false, "required": ["messages"],
            "properties": {"messages": {"type": "array", "items": {"$ref": "#/components/schemas/AcceptedMessage"}}}
        },
        "CancelledMessage": {
            "type": "object", "additionalProperties": false, "required": ["id", "status"],
            "properties": {"id": {"type": "string", "format": "uuid"}, "status": {"const": "cancelled"}}
        },
        "Message": {
            "type": "object", "additionalProperties": false, "required": [\#(Self.messageMembers)],
            "properties": {\#(Self.messageProperties)}
        },
        "MessageWithTimeline": {
            "type": "object", "additionalProperties": false, "required": [\#(Self.messageMembers), "timeline"],
            "properties": {
                \#(Self.messageProperties),
                "timeline": {"type": "array", "items": {"oneOf": [
                    {"$ref": "#/components/schemas/AcceptedEvent"}, {"$ref": "#/components/schemas/AttemptEvent"},
                    {"$ref": "#/components/schemas/ReceiptEvent"}
                ]}}
            }
        },
        "MessageList": {
            "type": "object", "additionalProperties": false, "required": ["messages", "next"],
            "properties": {
                "messages": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}},
                "next": {"type": ["string", "null"], "description": "The `cursor` of the next page."}
            }
        },
        "AcceptedEvent": {
            "type": "object", "additionalProperties": false, "required": ["event", "at"],
            "properties": {"event": {"const": "accepted"}, "at": {"type": "string", "format": "date-time"}}
        },
        "AttemptEvent": {
            "type": "object", "additionalProperties": false,
            "required": ["event", "at", "attempt", "provider", "outcome", "reason", "code", "milliseconds"],
            "properties": {
                "event": {"const": "attempt"}, "at": {"type": "string", "format": "date-time"},
                "attempt": {"type": "integer", "minimum": 1}, "provider": {"type": "string"},
                "outcome": {"type": "string"}, "reason": {"type": "string"},
                "code": {"type": ["string", "null"], "description": "The provider's."},
                "milliseconds": {"type": "integer", "minimum": 0}
            }
        },
        "ReceiptEvent": {
            "type": "object", "additionalProperties": false,
            "required": ["event", "at", "provider", "part", "state", "reason", "status", "code", "occurred_at"],
            "properties": {
                "event": {"const": "receipt"}, "at": {"type": "string", "format": "date-time"},
                "provider": {"type": "string"}, "part": {"type": ["string", "null"]}, "state": {"type": "string"},
                "reason": {"type": "string"}, "status": {"type": "string", "description": "The provider's word."},
                "code": {"type": ["string", "null"], "description": "The provider's."},
                "occurred_at": {"type": ["string", "null"], "format": "date-time"}
            }
        }
        """#

    private static let messageMembers = #"""
        "id", "status", "reason", "corrected", "duplicated", "channel", "priority", "to", "from", "parts", "reference", "metadata",
        "accepted_at", "send_at", "expires_at", "changed_at", "price", "currency"
        """#

    private static let messageProperties = #"""
        "id": {"type": "string", "format": "uuid"},
        "status": {"$ref": "#/components/schemas/MessageStatus"},
        "reason": {"type": ["string", "null"]},
        "corrected": {"type": "boolean", "description": "Whether a late receipt changed a final status."},
        "duplicated": {"type": "boolean", "description": "Whether two providers have delivered it: an answer was lost or late, and it was sent again. The timeline shows both."},
        "channel": {"$ref": "#/components/schemas/Channel"},
        "priority": {"$ref": "#/components/schemas/Priority"},
        "to": {"type": "string"},
        "from": {"type": ["string", "null"]},
        "parts": {"type": "integer", "minimum": 1, "description": "Segments of an SMS."},
        "reference": {"type": ["string", "null"]},
        "metadata": {"oneOf": [{"$ref": "#/components/schemas/Metadata"}, {"type": "null"}]},
        "accepted_at": {"type": "string", "format": "date-time"},
        "send_at": {"type": ["string", "null"], "format": "date-time"},
        "expires_at": {"type": "string", "format": "date-time"},
        "changed_at": {"type": "string", "format": "date-time"},
        "price": {"type": ["string", "null"], "description": "Of all its segments, up to eight decimals: what was charged for it, or would have been of a prepaid account. Null without a price."},
        "currency": {"type": ["string", "null"], "description": "Of the price (ISO 4217)."}
        """#
}
