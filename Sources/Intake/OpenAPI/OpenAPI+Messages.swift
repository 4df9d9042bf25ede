extension OpenAPI {
    static let messagePaths = #"""
        "/v1/messages": {
            "post": {
                "operationId": "sendMessages", "tags": ["messages"],
                "summary": "Accepts a message, or an array of 1 to 1000 of which all are accepted or none. Scope: send.",
                "parameters": [{"$ref": "#/components/parameters/Key"}],
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"oneOf": [
                        {"$ref": "#/components/schemas/NewMessage"},
                        {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"$ref": "#/components/schemas/NewMessage"}}
                    ]},
                    "example": {"to": "+41791234567", "body": "Your code is 493817", "priority": "otp", "ttl": 300}
                }}},
                "responses": {
                    "202": {"description": "Stored. A single message has a Location.",
                        "headers": {"Location": {"schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"oneOf": [
                            {"$ref": "#/components/schemas/AcceptedMessage"}, {"$ref": "#/components/schemas/AcceptedMessages"}
                        ]}}}},
                    "402": {"$ref": "#/components/responses/OutOfBalance"},
                    "409": {"$ref": "#/components/responses/InFlight"},
                    "429": {"$ref": "#/components/responses/GuardLimited"},
                    \#(Self.bodyRefusals)
                }
            },
            "get": {
                "operationId": "listMessages", "tags": ["messages"],
                "summary": "Lists messages, newest first. Scope: read.",
                "parameters": [
                    {"name": "to", "in": "query", "description": "A number, its plus written as %2B, or an address.", "schema": {"type": "string"}},
                    {"name": "reference", "in": "query", "schema": {"type": "string"}},
                    {"name": "status", "in": "query", "schema": {"$ref": "#/components/schemas/MessageStatus"}},
                    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "until", "in": "query", "schema": {"type": "string", "format": "date-time"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
                    {"name": "cursor", "in": "query", "description": "The `next` of the page before.", "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "A page.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MessageList"}}}},
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/messages/{id}": {
            "get": {
                "operationId": "getMessage", "tags": ["messages"],
                "summary": "Shows a message and what has become of it. Scope: read.",
                "parameters": [{"$ref": "#/components/parameters/MessageID"}],
                "responses": {
                    "200": {"description": "The message.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MessageWithTimeline"}}}},
                    \#(Self.notFound),
                    \#(Self.refusals)
                }
            }
        },
        "/v1/messages/{id}/cancel": {
            "post": {
                "operationId": "cancelMessage", "tags": ["messages"],
                "summary": "Withdraws a message that no worker has yet. Scope: send.",
                "parameters": [{"$ref": "#/components/parameters/MessageID"}],
                "responses": {
                    "200": {"description": "It is cancelled, now or before.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CancelledMessage"}}}},
                    \#(Self.notFound),
                    "409": {"description": "`too_late`: a worker has it, or a try may have reached the provider.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
                    "413": {"$ref": "#/components/responses/BodyTooLarge"},
                    \#(Self.refusals)
                }
            }
        }
        """#
}
