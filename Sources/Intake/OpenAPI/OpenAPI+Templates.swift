extension OpenAPI {
    static let templatePaths = #"""
        "/v1/templates": {
            "post": {
                "operationId": "createTemplate", "tags": ["templates"], "summary": "Makes a template. Scope: manage.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"oneOf": [{"$ref": "#/components/schemas/NewTextTemplate"}, {"$ref": "#/components/schemas/NewEmailTemplate"}]},
                    "example": {"application": "0933F3BC087D2A617AC6DCB2EF5B8A61", "text": "Your code for {{shop}} is {{pin}}"}
                }}},
                "responses": {
                    "201": {"description": "Made.", "headers": {"Location": {"$ref": "#/components/headers/Location"}}, \#(Self.template)},
                    \#(Self.tooMany),
                    \#(Self.bodyRefusals)
                }
            },
            "get": {
                "operationId": "listTemplates", "tags": ["templates"],
                "summary": "Lists an application's templates, the oldest first. Scope: read or manage.",
                "parameters": [{"name": "application", "in": "query", "required": true, "schema": {"type": "string"}}],
                "responses": {
                    "200": {"description": "All.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TemplateList"}}}},
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/templates/{id}": {
            "get": {
                "operationId": "getTemplate", "tags": ["templates"], "summary": "Shows a template. Scope: read or manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "responses": {"200": {"description": "The template.", \#(Self.template)}, \#(Self.notFound), \#(Self.refusals)}
            },
            "patch": {
                "operationId": "updateTemplate", "tags": ["templates"],
                "summary": "Changes what the body names and takes away what is null there (RFC 7396). Scope: manage.",
                "parameters": [{"$ref": "#/components/parameters/Name"}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"anyOf": [
                    {"$ref": "#/components/schemas/TextTemplateChange"}, {"$ref": "#/components/schemas/EmailTemplateChange"}
                ]}}}},
                "responses": {"200": {"description": "As it is now.", \#(Self.template)}, \#(Self.notFound), \#(Self.bodyRefusals)}
            }
        }
        """#

    private static let template =
        ##""content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/TextTemplate"}, {"$ref": "#/components/schemas/EmailTemplate"}]}}}"##
}
