extension OpenAPI {
    static let guardPaths = #"""
        "/v1/guard/blocks": {
            "get": {
                "operationId": "listGuardBlocks", "tags": ["guard"],
                "summary": "Lists blocks in force, newest first: the account's, and those of all accounts. Scope: guard.",
                "parameters": [
                    {"name": "ended", "in": "query", "description": "With those that have ended or were lifted.", "schema": {"type": "boolean", "default": false}},
                    {"name": "cursor", "in": "query", "description": "The `next` of the page before.", "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "A page.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/GuardBlockList"}}}},
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            },
            "post": {
                "operationId": "block", "tags": ["guard"],
                "summary": "Has nothing more sent to something, or for somebody, within a second. Messages accepted before still go, unless they are cancelled. Scope: guard.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewGuardBlock"},
                    "example": {"scope": "prefix", "value": "+99255", "reason": "complaints", "for": "12h"}
                }}},
                "responses": {
                    "201": {"description": "It is in force.", "headers": {"Location": {"$ref": "#/components/headers/Location"}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/GuardBlock"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        },
        "/v1/guard/blocks/{id}": {
            "delete": {
                "operationId": "liftGuardBlock", "tags": ["guard"],
                "summary": "Lifts a block, whoever made it. Scope: guard.",
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "pattern": "^[0-9]+$"}},
                    {"name": "for", "in": "query", "description": "For so long the guard makes no other of the same, as in 12h.", "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "It is lifted, now or before.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/GuardBlock"}}}},
                    \#(Self.notFound),
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/guard/refusals": {
            "get": {
                "operationId": "getGuardRefusals", "tags": ["guard"],
                "summary": "How many messages and guesses the guard refused, by reason and country, the most first. Scope: guard.",
                "parameters": [
                    {"name": "since", "in": "query", "description": "By whole hours; a day ago when not given, 90 days ago at most.", "schema": {"type": "string", "format": "date-time"}}
                ],
                "responses": {
                    "200": {"description": "All that there are.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/GuardRefusalList"}}}},
                    "422": {"$ref": "#/components/responses/Invalid"},
                    \#(Self.refusals)
                }
            }
        }
        """#

    static let guardSchemas = #"""
        "Caller": {
            "type": "object", "additionalProperties": false,
            "description": "Your user, as you know it: too many codes or wrong guesses from one place are refused.",
            "properties": {
                "address": {"type": "string", "description": "The IPv4 or IPv6 address that your user comes from; of IPv6 the first 64 bits count."},
                "device": {"type": "string", "minLength": 1, "maxLength": 128, "description": "Your name for its device or session."}
            }
        },
        "GuardScope": {"type": "string", "enum": ["number", "address", "device", "prefix", "country", "channel", "account"]},
        "GuardBlock": {
            "type": "object", "additionalProperties": false,
            "required": ["id", "scope", "value", "all_accounts", "reason", "level", "made_by", "made_at", "until", "lifted_at", "lifted_until"],
            "properties": {
                "id": {"type": "string"},
                "scope": {"$ref": "#/components/schemas/GuardScope"},
                "value": {"type": ["string", "null"], "description": "Null for numbers, addresses and devices, which are kept as keyed hashes, and for a whole account."},
                "all_accounts": {"type": "boolean"},
                "reason": {"type": "string"},
                "level": {"type": "integer", "minimum": 0, "description": "Of the guard's: how many went before it."},
                "made_by": {"enum": ["guard", "operator"]},
                "made_at": {"type": "string", "format": "date-time"},
                "until": {"type": ["string", "null"], "format": "date-time", "description": "Null: until it is lifted."},
                "lifted_at": {"type": ["string", "null"], "format": "date-time"},
                "lifted_until": {"type": ["string", "null"], "format": "date-time"}
            }
        },
        "NewGuardBlock": {
            "type": "object", "additionalProperties": false, "required": ["scope"],
            "properties": {
                "scope": {"$ref": "#/components/schemas/GuardScope"},
                "value": {"type": "string", "description": "A number, what numbers begin with, a country (ISO 3166), `sms` or `voice`, an address, a device; none for `account`."},
                "reason": {"type": "string", "minLength": 1, "maxLength": 200, "default": "operator"},
                "for": {"type": "string", "description": "As in 12h; without it, until it is lifted."},
                "all_accounts": {"type": "boolean", "default": false}
            }
        },
        "GuardBlockList": {
            "type": "object", "additionalProperties": false, "required": ["blocks", "next"],
            "properties": {
                "blocks": {"type": "array", "items": {"$ref": "#/components/schemas/GuardBlock"}},
                "next": {"type": ["string", "null"], "description": "The `cursor` of the next page."}
            }
        },
        "GuardRefusalList": {
            "type": "object", "additionalProperties": false, "required": ["since", "refusals"],
            "properties": {
                "since": {"type": "string", "format": "date-time"},
                "refusals": {"type": "array", "items": {
                    "type": "object", "additionalProperties": false, "required": ["reason", "country", "refused", "watched"],
                    "properties": {
                        "reason": {"type": "string"},
                        "country": {"type": ["string", "null"], "description": "ISO 3166, `001` for numbers of no country, or the prefix that the account's file names; null for guesses."},
                        "refused": {"type": "integer", "minimum": 0},
                        "watched": {"type": "integer", "minimum": 0, "description": "Would have been, were the account not only watched."}
                    }
                }}
            }
        }
        """#
}
