// What becomes of messages, and whom none may be sent to.
extension OpenAPI {
    static let outcomePaths = #"""
        "/v1/messages/{id}/conversion": {
            "post": {
                "operationId": "reportConversion", "tags": ["outcomes"],
                "summary": "Tells whether the recipient did what the message was sent for. What is told last holds. Codes that are verified here count by themselves. Scope: send or verify.",
                "parameters": [{"$ref": "#/components/parameters/MessageID"}],
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewConversion"}, "example": {"converted": true}
                }}},
                "responses": {
                    "200": {"description": "Stored.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Conversion"}}}},
                    \#(Self.notFound),
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/rates": {
            "get": {
                "operationId": "getRates", "tags": ["outcomes"],
                "summary": "How many messages arrived and converted, by channel and country, the most first. Scope: read.",
                "parameters": [
                    {"name": "since", "in": "query", "description": "When messages were accepted, by whole hours; a day ago when not given, 90 days ago at most.", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "until", "in": "query", "description": "Now when not given.", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "channel", "in": "query", "schema": {"$ref": "#/components/schemas/Channel"}},
                    {"name": "country", "in": "query", "description": "A calling code, its plus written as %2B or left out.", "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "All that there are.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RateList"}}}},
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/reports/silent": {
            "get": {
                "operationId": "getSilentMessages", "tags": ["outcomes"],
                "summary": "Messages that providers took, or may have, and of which nothing final was heard: those that wait for a receipt, and those that ended as unknown without one; counted by provider and country, and listed, newest first. Scope: read.",
                "parameters": [
                    {"name": "since", "in": "query", "description": "When messages were accepted; eight days ago when not given, 90 days ago at most.", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "until", "in": "query", "description": "Now when not given.", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
                    {"name": "cursor", "in": "query", "description": "The `next` of the page before.", "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "The counts of the whole time, and a page of the messages. A page may be short, or empty, and yet have a next one.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SilenceReport"}}}},
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/opt-outs": {
            "post": {
                "operationId": "addOptOut", "tags": ["outcomes"],
                "summary": "Has this account send no more to a recipient, by any of its APIs. Scope: manage.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/RecipientName"}, "example": {"to": "+16365553226"}
                }}},
                "responses": {
                    "200": {"description": "Done.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AddedOptOut"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/opt-outs/remove": {
            "post": {
                "operationId": "removeOptOut", "tags": ["outcomes"],
                "summary": "Lets this account send to a recipient again. Scope: manage.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/RecipientName"}, "example": {"to": "+16365553226"}
                }}},
                "responses": {
                    "200": {"description": "Done.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RemovedOptOut"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/opt-outs/search": {
            "post": {
                "operationId": "searchOptOuts", "tags": ["outcomes"],
                "summary": "Finds those who want no messages of this account, in the order of their numbers and addresses. Scope: read or manage.",
                "requestBody": {"required": false, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/OptOutSearch"}, "example": {"to": "+16365553226"}
                }}},
                "responses": {
                    "200": {"description": "Those found.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OptOutList"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        }
        """#

    static let outcomeSchemas = #"""
        "NewConversion": {
            "type": "object", "additionalProperties": false, "required": ["converted"],
            "properties": {
                "converted": {"type": "boolean"},
                "at": {"type": "string", "format": "date-time", "description": "Now when not given."}
            }
        },
        "Conversion": {
            "type": "object", "additionalProperties": false, "required": ["id", "converted"],
            "properties": {"id": {"type": "string", "format": "uuid"}, "converted": {"type": "boolean"}}
        },
        "RateList": {
            "type": "object", "additionalProperties": false, "required": ["since", "until", "rates"],
            "properties": {
                "since": {"type": "string", "format": "date-time"}, "until": {"type": "string", "format": "date-time"},
                "rates": {"type": "array", "items": {"$ref": "#/components/schemas/Rate"}}
            }
        },
        "Rate": {
            "type": "object", "additionalProperties": false,
            "required": [
                "channel", "country", "sent", "delivered", "undelivered", "converted", "unconverted", "delivery_rate",
                "conversion_rate"
            ],
            "properties": {
                "channel": {"$ref": "#/components/schemas/Channel"},
                "country": {"type": ["string", "null"], "description": "The calling code; null for mails."},
                "sent": {"type": "integer", "description": "Handed over to providers."},
                "delivered": {"type": "integer"},
                "undelivered": {"type": "integer", "description": "Known not to have arrived."},
                "converted": {"type": "integer"},
                "unconverted": {"type": "integer", "description": "Reported not to have converted."},
                "delivery_rate": {"type": ["number", "null"], "description": "Delivered, of those sent: 0 to 1. Null when none was sent."},
                "conversion_rate": {"type": ["number", "null"], "description": "Converted, of those sent: 0 to 1. Null when nothing is known of any."}
            }
        },
        "SilenceReport": {
            "type": "object", "additionalProperties": false, "required": ["since", "until", "counts", "messages", "next"],
            "properties": {
                "since": {"type": "string", "format": "date-time"}, "until": {"type": "string", "format": "date-time"},
                "counts": {"type": "array", "items": {"$ref": "#/components/schemas/SilenceCount"}},
                "messages": {"type": "array", "items": {"$ref": "#/components/schemas/SilentMessage"}},
                "next": {"type": ["string", "null"], "description": "The `cursor` of the next page."}
            }
        },
        "SilenceCount": {
            "type": "object", "additionalProperties": false,
            "required": ["provider", "channel", "country", "sent", "ended", "waiting"],
            "properties": {
                "provider": {"type": "string"}, "channel": {"$ref": "#/components/schemas/Channel"},
                "country": {"type": ["string", "null"], "description": "The calling code; null for mails."},
                "sent": {"type": "integer", "description": "Handed over, silent or not."},
                "ended": {"type": "integer", "description": "Ended as unknown: no receipt came within the provider's window."},
                "waiting": {"type": "integer", "description": "A receipt may still come."}
            }
        },
        "SilentMessage": {
            "type": "object", "additionalProperties": false,
            "required": ["id", "provider", "channel", "country", "status", "reason", "ended", "accepted_at"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "provider": {"type": "string"}, "channel": {"$ref": "#/components/schemas/Channel"},
                "country": {"type": ["string", "null"]},
                "status": {"type": "string", "enum": ["accepted", "unknown"]},
                "reason": {"type": ["string", "null"], "description": "`no_dlr` for one that has ended."},
                "ended": {"type": "boolean"},
                "accepted_at": {"type": "string", "format": "date-time"}
            }
        },
        "AddedOptOut": {
            "type": "object", "additionalProperties": false, "required": ["added"],
            "properties": {"added": {"type": "boolean", "description": "Whether it is new."}}
        },
        "RemovedOptOut": {
            "type": "object", "additionalProperties": false, "required": ["removed"],
            "properties": {"removed": {"type": "boolean", "description": "Whether there was one."}}
        },
        "OptOutSearch": {
            "type": "object", "additionalProperties": false,
            "properties": {
                "to": {"type": "string", "description": "Only this number in E.164 or mail address."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
                "cursor": {"type": "string", "description": "The `next` of the page before."}
            }
        },
        "OptOutList": {
            "type": "object", "additionalProperties": false, "required": ["opt_outs", "next"],
            "properties": {
                "opt_outs": {"type": "array", "items": {
                    "type": "object", "additionalProperties": false, "required": ["to", "made_at"],
                    "properties": {"to": {"type": "string"}, "made_at": {"type": "string", "format": "date-time"}}
                }},
                "next": {"type": ["string", "null"], "description": "The `cursor` of the next page."}
            }
        }
        """#
}
