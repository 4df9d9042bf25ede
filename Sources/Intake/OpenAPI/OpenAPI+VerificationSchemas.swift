extension OpenAPI {
    static let verificationSchemas = #"""
        "VerificationStatus": {"type": "string", "enum": ["pending", "verified", "exhausted", "expired"]},
        "Placeholders": {
            "type": "object", "maxProperties": 50, "additionalProperties": {"type": "string", "maxLength": 500},
            "description": "A value for each name in the template's braces but {{pin}}."
        },
        "NewVerification": {
            "type": "object", "additionalProperties": false, "required": ["application", "template", "to"],
            "properties": {
                "application": {"type": "string"}, "template": {"type": "string"},
                "to": {"type": "string", "description": "A number in E.164; for `email` a mail address."},
                "channel": {"$ref": "#/components/schemas/Channel", "default": "sms"},
                "from": {"type": "string", "description": "Goes before the template's sender."},
                "placeholders": {"$ref": "#/components/schemas/Placeholders"},
                "reference": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Of the message."},
                "metadata": {"$ref": "#/components/schemas/Metadata"},
                "caller": {"$ref": "#/components/schemas/Caller"},
                "look_up": {"type": "boolean", "default": true, "description": "Whether a number that cannot exist is refused."}
            }
        },
        "StartedVerification": {
            "type": "object", "additionalProperties": false, "required": ["id", "status"],
            "properties": {"id": {"type": "string", "format": "uuid"}, "status": {"const": "pending"}}
        },
        "Resend": {
            "type": "object", "additionalProperties": false,
            "properties": {
                "channel": {"$ref": "#/components/schemas/Channel", "description": "Without it, the latest."},
                "placeholders": {"$ref": "#/components/schemas/Placeholders", "description": "Without them, those of the first time."},
                "caller": {"$ref": "#/components/schemas/Caller"}
            }
        },
        "ResentVerification": {
            "type": "object", "additionalProperties": false, "required": ["id", "status", "channel"],
            "properties": {
                "id": {"type": "string", "format": "uuid"}, "status": {"enum": ["pending", "verified"]},
                "channel": {"$ref": "#/components/schemas/Channel"}
            }
        },
        "Guess": {
            "type": "object", "additionalProperties": false, "required": ["code"],
            "properties": {
                "code": {"type": "string", "minLength": 1, "maxLength": 64, "description": "In either case; spaces around it do not count."},
                "caller": {"$ref": "#/components/schemas/Caller"}
            }
        },
        "RightGuess": {
            "type": "object", "additionalProperties": false, "required": ["id", "valid", "status"],
            "properties": {"id": {"type": "string", "format": "uuid"}, "valid": {"const": true}, "status": {"const": "verified"}}
        },
        "WrongGuess": {
            "type": "object", "additionalProperties": false, "required": ["id", "valid", "status", "attempts_left"],
            "properties": {
                "id": {"type": "string", "format": "uuid"}, "valid": {"const": false},
                "status": {"enum": ["pending", "exhausted"], "description": "`exhausted`: this code can be checked no more."},
                "attempts_left": {"type": "integer", "minimum": 0, "maximum": 99}
            }
        },
        "Verification": {
            "type": "object", "additionalProperties": false,
            "required": [
                "id", "application", "template", "channel", "to", "status", "attempts", "attempt_limit", "sends", "message",
                "started_at", "sent_at", "expires_at", "checked_at", "verified_at"
            ],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "application": {"type": "string"}, "template": {"type": "string"},
                "channel": {"$ref": "#/components/schemas/Channel", "description": "Of the latest sending."},
                "to": {"type": "string"},
                "status": {"$ref": "#/components/schemas/VerificationStatus"},
                "attempts": {"type": "integer", "minimum": 0}, "attempt_limit": {"type": "integer", "minimum": 1},
                "sends": {"type": "integer", "minimum": 1},
                "message": {"type": "string", "format": "uuid", "description": "The latest that carried the code; see /v1/messages/{id}."},
                "started_at": {"type": "string", "format": "date-time"},
                "sent_at": {"type": "string", "format": "date-time"},
                "expires_at": {"type": "string", "format": "date-time"},
                "checked_at": {"type": ["string", "null"], "format": "date-time"},
                "verified_at": {"type": ["string", "null"], "format": "date-time"}
            }
        },
        "VerificationSearch": {
            "type": "object", "additionalProperties": false, "required": ["to"],
            "properties": {
                "to": {"type": "string", "description": "A number in E.164 or a mail address."},
                "application": {"type": "string"},
                "verified": {"type": "boolean", "description": "Only those that were, or were not."}
            }
        },
        "VerificationList": {
            "type": "object", "additionalProperties": false, "required": ["verifications"],
            "properties": {"verifications": {"type": "array", "items": {"$ref": "#/components/schemas/Verification"}}}
        },
        "RecipientName": {
            "type": "object", "additionalProperties": false, "required": ["to"],
            "properties": {"to": {"type": "string", "description": "A number in E.164 or a mail address."}}
        },
        "Unlocking": {
            "type": "object", "additionalProperties": false, "required": ["unlocked"],
            "properties": {"unlocked": {"type": "boolean", "description": "Whether any guess had failed."}}
        },
        "Erasure": {
            "type": "object", "additionalProperties": false,
            "required": ["cancelled", "messages", "verifications", "others", "under_way", "done"],
            "properties": {
                "cancelled": {"type": "integer", "description": "Messages that had not been sent and are not sent any more; they count as messages too."},
                "messages": {"type": "integer", "description": "Messages that the recipient, the reference and the metadata were taken out of."},
                "verifications": {"type": "integer", "description": "Verifications that the recipient was taken out of. Those that could still be checked have ended."},
                "others": {"type": "integer", "description": "What else was kept of the recipient: counts of codes and of wrong guesses, codes that are found by their scope, what was looked up."},
                "under_way": {"type": "integer", "description": "Messages that are being sent, and are erased when it is asked for again after that. Not counted before the rest is erased."},
                "done": {"type": "boolean", "description": "False: ask again, at once or, with messages under way, a while later."}
            }
        }
        """#
}
