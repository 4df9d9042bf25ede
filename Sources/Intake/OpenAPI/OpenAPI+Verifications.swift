extension OpenAPI {
    static let verificationPaths = #"""
        "/v1/verifications": {
            "post": {
                "operationId": "startVerification", "tags": ["verifications"], "summary": "Makes a code and sends it. Scope: verify.",
                "parameters": [{"$ref": "#/components/parameters/Key"}],
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewVerification"},
                    "example": {
                        "application": "0933F3BC087D2A617AC6DCB2EF5B8A61", "template": "16A8B5FE2BCD6CA716A2D780CB3F3390",
                        "to": "+41791234567", "placeholders": {"shop": "Acme"}
                    }
                }}},
                "responses": {
                    "202": {"description": "The code is stored and on its way.", "headers": {"Location": {"$ref": "#/components/headers/Location"}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StartedVerification"}}}},
                    "402": {"$ref": "#/components/responses/OutOfBalance"},
                    "409": {"$ref": "#/components/responses/InFlight"},
                    "429": {"$ref": "#/components/responses/SendLimited"},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/verifications/{id}": {
            "get": {
                "operationId": "getVerification", "tags": ["verifications"],
                "summary": "Shows a verification, never its code. Scope: read or verify.",
                "parameters": [{"$ref": "#/components/parameters/VerificationID"}],
                "responses": {
                    "200": {"description": "The verification.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Verification"}}}},
                    \#(Self.notFound),
                    \#(Self.refusals)
                }
            }
        },
        "/v1/verifications/{id}/check": {
            "post": {
                "operationId": "checkCode", "tags": ["verifications"],
                "summary": "Judges what somebody typed. It is counted before the answer is given. Scope: verify.",
                "parameters": [{"$ref": "#/components/parameters/VerificationID"}],
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/Guess"}, "example": {"code": "493817"}
                }}},
                "responses": {
                    "200": {"description": "It was evaluated.", "content": {"application/json": {"schema": {"oneOf": [
                        {"$ref": "#/components/schemas/RightGuess"}, {"$ref": "#/components/schemas/WrongGuess"}
                    ]}}}},
                    \#(Self.ended),
                    "429": {"$ref": "#/components/responses/CheckLimited"},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/verifications/{id}/resend": {
            "post": {
                "operationId": "resendCode", "tags": ["verifications"],
                "summary": "Sends the same code again, perhaps by another channel. Neither its attempts nor its time begin anew. Scope: verify.",
                "parameters": [{"$ref": "#/components/parameters/VerificationID"}],
                "requestBody": {"required": false, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Resend"}}}},
                "responses": {
                    "202": {"description": "It is on its way.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ResentVerification"}}}},
                    "402": {"$ref": "#/components/responses/OutOfBalance"},
                    \#(Self.ended),
                    "429": {"$ref": "#/components/responses/SendLimited"},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/verifications/search": {
            "post": {
                "operationId": "searchVerifications", "tags": ["verifications"],
                "summary": "Finds a recipient's verifications, newest first, 1000 at most. Scope: read or verify.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/VerificationSearch"}, "example": {"to": "+41791234567", "verified": true}
                }}},
                "responses": {
                    "200": {"description": "Those found.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/VerificationList"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/recipients/unlock": {
            "post": {
                "operationId": "unlockRecipient", "tags": ["verifications"],
                "summary": "Lets a recipient try again after too many guesses have failed. Scope: manage.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/RecipientName"}, "example": {"to": "+41791234567"}
                }}},
                "responses": {
                    "200": {"description": "Done.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Unlocking"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/recipients/erase": {
            "post": {
                "operationId": "eraseRecipient", "tags": ["verifications"],
                "summary": "Erases a recipient from messages and verifications, for good. What waits to be sent is cancelled; opt-outs and statistics stay. Scope: manage.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/RecipientName"}, "example": {"to": "+41791234567"}
                }}},
                "responses": {
                    "200": {"description": "What was erased. Unless it is done, ask again.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Erasure"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        }
        """#
}
