import HTTP

extension Intake {
    /// `GET /openapi.json`, for anybody: it says nothing that is not public.
    static func answerOpenAPI(_ request: HTTPRequest) throws(Problem) -> HTTPResponse {
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed("GET") }
        return HTTPResponse(status: 200, fields: Self.fields, body: OpenAPI.bytes)
    }
}

/// The description of our own API (OpenAPI 3.1), kept by hand; tests hold every answer against it.
enum OpenAPI {
    static let bytes = Array(Self.text.utf8)

    static let text = #"""
        {
        "openapi": "3.1.0",
        "info": {
            "title": "Pinpost", "version": "1",
            "description": "Sends messages and one-time codes by SMS, voice and e-mail. HEAD is understood wherever GET is; any other method that is not listed is answered 405 with the list in Allow. Unknown fields are refused. In requests a null is as good as nothing, except where a field says what it does."
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": [
            {"name": "messages", "description": "Messages of your own words."},
            {"name": "applications", "description": "How codes behave."},
            {"name": "templates", "description": "What is sent with a code."},
            {"name": "verifications", "description": "Codes on their way, and guesses at them."},
            {"name": "account", "description": "What the account has, and what its messages cost."},
            {"name": "outcomes", "description": "What became of messages, and whom none may be sent to."},
            {"name": "guard", "description": "What is refused, and why. For the operator."},
            {"name": "webhooks", "description": "Where you are told of what happens, and what happened."},
            {"name": "description", "description": "This document."}
        ],
        "paths": {
            \#(Self.messagePaths),
            \#(Self.applicationPaths),
            \#(Self.templatePaths),
            \#(Self.verificationPaths),
            \#(Self.accountPaths),
            \#(Self.outcomePaths),
            \#(Self.guardPaths),
            \#(Self.webhookPaths),
            \#(Self.eventPaths),
            "/openapi.json": {
                "get": {
                    "operationId": "getDescription", "tags": ["description"], "security": [],
                    "summary": "This document. No key is needed.",
                    "responses": {
                        "200": {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}},
                        \#(Self.serverRefusals)
                    }
                }
            }
        },
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http", "scheme": "bearer",
                    "description": "An API key. Its scopes decide what it may do: send, read, verify, manage, and bill and guard, which only the operator's keys have. The 403 of an operation is for a key without any of the scopes that its description names."
                }
            },
            "parameters": {\#(Self.parameters)},
            "headers": {
                "RetryAfter": {"description": "Seconds after which to try again.", "schema": {"type": "integer", "minimum": 0}},
                "Location": {"description": "Where it can be looked at.", "required": true, "schema": {"type": "string"}}
            },
            "responses": {\#(Self.refusalResponses)},
            "schemas": {
                \#(Self.problemSchemas),
                \#(Self.messageSchemas),
                \#(Self.applicationSchemas),
                \#(Self.templateSchemas),
                \#(Self.verificationSchemas),
                \#(Self.accountSchemas),
                \#(Self.outcomeSchemas),
                \#(Self.guardSchemas),
                \#(Self.webhookSchemas),
                \#(Self.eventSchemas)
            }
        }
        }
        """#
}
