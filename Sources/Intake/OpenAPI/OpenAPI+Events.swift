extension OpenAPI {
    static let eventPaths = #"""
        "/v1/events": {
            "get": {
                "operationId": "listEvents", "tags": ["webhooks"],
                "summary": "Lists events that a webhook wanted to be told of, newest first. Scope: read.",
                "parameters": [
                    {"name": "type", "in": "query", "description": "May be given several times.", "schema": {"$ref": "#/components/schemas/EventType"}},
                    {"name": "subject", "in": "query", "description": "The message's or the verification's id.", "schema": {"type": "string", "format": "uuid"}},
                    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "until", "in": "query", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
                    {"name": "cursor", "in": "query", "description": "The `next` of the page before.", "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "A page.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EventList"}}}},
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/events/{id}": {
            "get": {
                "operationId": "getEvent", "tags": ["webhooks"],
                "summary": "Shows what an event tells, as a webhook's body has it, and to whom it was told. Scope: read.",
                "parameters": [{"$ref": "#/components/parameters/EventID"}],
                "responses": {
                    "200": {"description": "The event.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}},
                    \#(Self.notFound), \#(Self.refusals)
                }
            }
        },
        "/v1/events/{id}/replay": {
            "post": {
                "operationId": "replayEvent", "tags": ["webhooks"],
                "summary": "Has a webhook told of an event again, whether it took it before or not. Scope: manage.",
                "parameters": [{"$ref": "#/components/parameters/EventID"}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {
                    "type": "object", "additionalProperties": false, "required": ["webhook"], "properties": {"webhook": {"type": "string"}}
                }}}},
                "responses": {
                    "202": {"description": "It will be told.", "content": {"application/json": {"schema": {
                        "type": "object", "additionalProperties": false, "required": ["id", "webhook"],
                        "properties": {"id": {"$ref": "#/components/schemas/EventID"}, "webhook": {"type": "string"}}
                    }}}},
                    \#(Self.notFound),
                    "409": {"description": "`already_due`: it is still to be told of it anyway. `webhook_disabled`: switch it on first.", \#(Self.webhookProblem)},
                    \#(Self.bodyRefusals)
                }
            }
        }
        """#

    static let eventSchemas = #"""
        "EventID": {"type": "string", "pattern": "^evt_[0-9a-f]{32}$", "description": "That of `webhook-id`: the same at each try."},
        "ListedEvent": {
            "type": "object", "additionalProperties": false,
            "required": ["id", "type", "timestamp", "subject", "sequence", "reason"],
            "properties": {
                "id": {"$ref": "#/components/schemas/EventID"},
                "type": {"$ref": "#/components/schemas/EventType"},
                "timestamp": {"type": "string", "format": "date-time"},
                "subject": {"type": "string", "format": "uuid", "description": "The message's or the verification's id."},
                "sequence": {"type": "integer", "minimum": 0, "description": "Counts the changes of the subject."},
                "reason": {"type": ["string", "null"]}
            }
        },
        "EventList": {
            "type": "object", "additionalProperties": false, "required": ["events", "next"],
            "properties": {
                "events": {"type": "array", "items": {"$ref": "#/components/schemas/ListedEvent"}},
                "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last."}
            }
        },
        "Event": {
            "type": "object", "additionalProperties": false, "required": ["id", "type", "timestamp", "data", "deliveries"],
            "properties": {
                "id": {"$ref": "#/components/schemas/EventID"},
                "type": {"$ref": "#/components/schemas/EventType"},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": {"type": "object", "description": "As in the body of a webhook."},
                "deliveries": {"type": "array", "items": {"$ref": "#/components/schemas/Delivery"}}
            }
        },
        "Delivery": {
            "type": "object", "additionalProperties": false, "required": ["webhook", "attempts", "pending"],
            "properties": {
                "webhook": {"type": "string"},
                "attempts": {"type": "array", "items": {
                    "type": "object", "additionalProperties": false,
                    "required": ["attempt", "outcome", "status", "duration_ms", "at", "is_last"],
                    "properties": {
                        "attempt": {"type": "integer", "minimum": 1},
                        "outcome": {"type": "string", "enum": ["delivered", "refused", "unanswered", "not_sent", "forbidden", "dropped"]},
                        "status": {"type": ["integer", "null"], "description": "Of HTTP; null without an answer."},
                        "duration_ms": {"type": "integer", "minimum": 0},
                        "at": {"type": "string", "format": "date-time"},
                        "is_last": {"type": "boolean", "description": "Whether nothing more is tried."}
                    }
                }},
                "pending": {"oneOf": [{"type": "null"}, {
                    "type": "object", "additionalProperties": false, "required": ["due_at"],
                    "properties": {"due_at": {"type": ["string", "null"], "format": "date-time", "description": "Of the next try at the oldest event of this subject; null: ready, or on its way."}}
                }]}
            }
        }
        """#
}
