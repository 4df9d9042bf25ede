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
