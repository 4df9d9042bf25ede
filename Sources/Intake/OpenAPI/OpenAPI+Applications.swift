extension OpenAPI {
    static let applicationPaths = #"""
        "/v1/applications": {
            "post": {
                "operationId": "createApplication", "tags": ["applications"], "summary": "Makes an application. Scope: manage.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewApplication"}, "example": {"name": "shop", "attempt_limit": 5}
                }}},
                "responses": {
                    "201": {"description": "Made.", "headers": {"Location": {"$ref": "#/components/headers/Location"}}, \#(Self.application)},
                    \#(Self.tooMany),
                    \#(Self.bodyRefusals)
                }
            },
            "get": {
                "operationId": "listApplications", "tags": ["applications"],
                "summary": "Lists all applications, the oldest first. Scope: read or manage.",
                "responses": {
                    "200": {"description": "All.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ApplicationList"}}}},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/applications/{id}": {
            "get": {
                "operationId": "getApplication", "tags": ["applications"], "summary": "Shows an application. Scope: read or manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "responses": {"200": {"description": "The application.", \#(Self.application)}, \#(Self.notFound), \#(Self.refusals)}
            },
            "patch": {
                "operationId": "updateApplication", "tags": ["applications"],
                "summary": "Changes what the body names; the rest stays. Codes on their way keep the limits that they began with. Scope: manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ApplicationChange"}}}},
                "responses": {"200": {"description": "As it is now.", \#(Self.application)}, \#(Self.notFound), \#(Self.bodyRefusals)}
            }
        }
        """#

    private static let application =
        ##""content": {"application/json": {"schema": {"$ref": "#/components/schemas/Application"}}}"##

    static let applicationSchemas = #"""
        "Period": {"type": "string", "pattern": "^[0-9]*(ms|s|m|h|d)$", "description": "A number and ms, s, m, h or d; up to 365d, and up to 1d for `resend_cooldown`."},
        "RateLimit": {"type": "string", "pattern": "^[0-9]+/[0-9]*(ms|s|m|h|d)$", "description": "So many in so long, as in 3/1d; up to 365d, and up to 1d for `check_limit`."},
        "NewApplication": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {\#(Self.settings)}},
        "ApplicationChange": {"type": "object", "additionalProperties": false, "properties": {\#(Self.settings)}},
        "Application": {
            "type": "object", "additionalProperties": false,
            "required": [
                "id", "name", "enabled", "attempt_limit", "allow_reuse", "time_to_live", "check_limit",
                "application_send_limit", "recipient_send_limit", "send_limit", "resend_cooldown"
            ],
            "properties": {"id": {"type": "string"}, \#(Self.settings)},
            "examples": [{
                "id": "0933F3BC087D2A617AC6DCB2EF5B8A61", "name": "shop", "enabled": true, "attempt_limit": 10,
                "allow_reuse": true, "time_to_live": "15m", "check_limit": "1/3s", "application_send_limit": "10000/1d",
                "recipient_send_limit": "3/1d", "send_limit": 5, "resend_cooldown": "30s"
            }]
        },
        "ApplicationList": {
            "type": "object", "additionalProperties": false, "required": ["applications"],
            "properties": {"applications": {"type": "array", "items": {"$ref": "#/components/schemas/Application"}}}
        }
        """#

    private static let settings = #"""
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "enabled": {"type": "boolean", "default": true, "description": "A disabled application starts no verifications; those under way go on."},
        "attempt_limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10, "description": "Guesses at one code that are evaluated."},
        "allow_reuse": {"type": "boolean", "default": true, "description": "Whether a code that was right stays right until its time is over."},
        "time_to_live": {"$ref": "#/components/schemas/Period", "default": "15m", "description": "Of a code; a resend does not lengthen it."},
        "check_limit": {"$ref": "#/components/schemas/RateLimit", "default": "1/3s", "description": "Guesses for one recipient, right or wrong."},
        "application_send_limit": {"$ref": "#/components/schemas/RateLimit", "default": "10000/1d", "description": "Codes of the application."},
        "recipient_send_limit": {"$ref": "#/components/schemas/RateLimit", "default": "3/1d", "description": "Codes of the application for one recipient."},
        "send_limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 100, "default": 5, "description": "Sendings of one code, the first included; null: no limit."},
        "resend_cooldown": {"oneOf": [{"$ref": "#/components/schemas/Period"}, {"type": "null"}], "default": "30s", "description": "Between two sendings of one code; null: none."}
        """#
}
