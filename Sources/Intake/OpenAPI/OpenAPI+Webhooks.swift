extension OpenAPI {
    static let webhookPaths = #"""
        "/v1/webhooks": {
            "post": {
                "operationId": "createWebhook", "tags": ["webhooks"],
                "summary": "Makes a webhook, which is told of all that happens from then on. Scope: manage.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewWebhook"},
                    "example": {"url": "https://example.com/pinpost", "types": ["message.delivered", "message.undelivered"]}
                }}},
                "responses": {
                    "201": {"description": "Made. The secret is shown this once.", "headers": {"Location": {"$ref": "#/components/headers/Location"}}, \#(Self.webhookWithSecret)},
                    "409": {"description": "`too_many`: there are 50 webhooks already.", \#(Self.webhookProblem)},
                    \#(Self.bodyRefusals)
                }
            },
            "get": {
                "operationId": "listWebhooks", "tags": ["webhooks"],
                "summary": "Lists all webhooks, the oldest first, those of vendors' APIs among them. Scope: read or manage.",
                "responses": {
                    "200": {"description": "All.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookList"}}}},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/webhooks/{id}": {
            "get": {
                "operationId": "getWebhook", "tags": ["webhooks"], "summary": "Shows a webhook, without its secret. Scope: read or manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "responses": {"200": {"description": "The webhook.", \#(Self.webhook)}, \#(Self.notFound), \#(Self.refusals)}
            },
            "patch": {
                "operationId": "updateWebhook", "tags": ["webhooks"],
                "summary": "Changes what the body names; the rest stays. One that was switched off and is switched on begins anew: no failure is held against it. Scope: manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookChange"}}}},
                "responses": {"200": {"description": "As it is now.", \#(Self.webhook)}, \#(Self.notFound), \#(Self.bodyRefusals)}
            },
            "delete": {
                "operationId": "deleteWebhook", "tags": ["webhooks"],
                "summary": "Takes a webhook away, with what it was still to be told. Scope: manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "responses": {"204": {"description": "It is gone."}, \#(Self.notFound), \#(Self.refusals)}
            }
        },
        "/v1/webhooks/{id}/rotate": {
            "post": {
                "operationId": "rotateWebhookSecret", "tags": ["webhooks"],
                "summary": "Makes a new secret. Those before it sign too until the overlap is over. Scope: manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "requestBody": {"required": false, "content": {"application/json": {"schema": {
                    "type": "object", "additionalProperties": false,
                    "properties": {"overlap": {"type": "string", "pattern": "^([0-9]*(ms|s|m|h|d)|0)$", "default": "24h", "description": "A number and ms, s, m, h or d, from 0s to 7d."}}
                }}}},
                "responses": {
                    "200": {"description": "The webhook with its new secret, shown this once.", \#(Self.webhookWithSecret)},
                    \#(Self.notFound),
                    "409": {"description": "`too_many`: 5 secrets sign already; an overlap of 0s ends them. `no_signing_keys`: it is a vendor's.", \#(Self.webhookProblem)},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/webhooks/{id}/replay": {
            "post": {
                "operationId": "replayWebhook", "tags": ["webhooks"],
                "summary": "Has a webhook told of the events since a moment that it wants and has not taken, up to 10000 a request. Scope: manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewReplay"}, "example": {"since": "2026-11-20T00:00:00Z"}
                }}},
                "responses": {
                    "202": {"description": "They will be told.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Replay"}}}},
                    \#(Self.notFound),
                    "409": {"description": "`webhook_disabled`: switch it on first.", \#(Self.webhookProblem)},
                    \#(Self.bodyRefusals)
                }
            }
        }
        """#

    private static let webhook =
        ##""content": {"application/json": {"schema": {"$ref": "#/components/schemas/Webhook"}}}"##
    private static let webhookWithSecret =
        ##""content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookWithSecret"}}}"##
    static let webhookProblem =
        ##""content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}"##

    static let webhookSchemas = #"""
        "EventType": {"type": "string", "enum": [
            "message.accepted", "message.unknown", "message.delivered", "message.undelivered", "message.failed",
            "message.expired", "message.cancelled", "verification.verified", "verification.exhausted",
            "verification.expired", "webhook.disabled"
        ]},
        "NewWebhook": {
            "type": "object", "additionalProperties": false, "required": ["url"],
            "properties": {
                \#(Self.webhookChanges),
                "secret": {"type": "string", "pattern": "^whsec_[A-Za-z0-9+/]+=*$", "description": "One to bring along: whsec_ and base64 of 24 to 64 bytes. Without it one is made."}
            }
        },
        "WebhookChange": {"type": "object", "additionalProperties": false, "properties": {\#(Self.webhookChanges)}},
        "Webhook": {
            "type": "object", "additionalProperties": false, "required": [\#(Self.webhookNames)],
            "properties": {\#(Self.webhookProperties)},
            "examples": [{
                "id": "5D3C8E1FA2B74C60912E7F0A4B6D8C13", "kind": "standard", "url": "https://example.com/pinpost",
                "description": "", "types": [], "in_flight": 8, "enabled": false, "disabled_because": "failing",
                "disabled_at": "2026-11-21T04:30:33.870Z", "failing_since": "2026-11-16T04:30:33.870Z",
                "created_at": "2026-11-01T09:00:00.000Z"
            }]
        },
        "WebhookWithSecret": {
            "type": "object", "additionalProperties": false, "required": [\#(Self.webhookNames), "secret"],
            "properties": {\#(Self.webhookProperties), "secret": {"type": "string", "description": "Verifies what comes (Standard Webhooks); whsec_ and base64."}}
        },
        "WebhookList": {
            "type": "object", "additionalProperties": false, "required": ["webhooks"],
            "properties": {"webhooks": {"type": "array", "maxItems": 50, "items": {"$ref": "#/components/schemas/Webhook"}}}
        },
        "NewReplay": {
            "type": "object", "additionalProperties": false, "required": ["since"],
            "properties": {
                "since": {"type": "string", "format": "date-time"},
                "continue_from": {"type": ["string", "null"], "description": "The `continue_from` of the answer before."}
            }
        },
        "Replay": {
            "type": "object", "additionalProperties": false, "required": ["events", "continue_from"],
            "properties": {
                "events": {"type": "integer", "minimum": 0, "description": "That will be told."},
                "continue_from": {"type": ["string", "null"], "description": "Ask again with it for the rest; null: that was all."}
            }
        }
        """#

    private static let webhookChanges = #"""
        "url": {"type": "string", "maxLength": 2048, "description": "https, at a public address."},
        "description": {"type": "string", "maxLength": 255, "default": ""},
        "types": {"type": "array", "items": {"$ref": "#/components/schemas/EventType"}, "default": [], "description": "What it is told of; empty: all that its kind has words for."},
        "in_flight": {"type": "integer", "minimum": 1, "maximum": 100, "default": 8, "description": "Requests at once, from each worker."},
        "enabled": {"type": "boolean", "default": true}
        """#

    private static let webhookNames = #"""
        "id", "kind", "url", "description", "types", "in_flight", "enabled", "disabled_because", "disabled_at",
        "failing_since", "created_at"
        """#

    private static let webhookProperties = #"""
        "id": {"type": "string"},
        "kind": {"type": "string", "enum": ["standard", "infobip", "nexmo"], "description": "Whose words it is told in. Those of vendors are told of messages that came in by the vendor's API, and come from the operator."},
        \#(Self.webhookChanges),
        "disabled_because": {"type": ["string", "null"], "enum": ["customer", "gone", "failing", null], "description": "By whom it was switched off: you, its own 410, or five days of failures."},
        "disabled_at": {"type": ["string", "null"], "format": "date-time"},
        "failing_since": {"type": ["string", "null"], "format": "date-time", "description": "Since when nothing but failures came back."},
        "created_at": {"type": "string", "format": "date-time"}
        """#
}
