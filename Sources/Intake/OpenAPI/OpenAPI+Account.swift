extension OpenAPI {
    static let accountPaths = #"""
        "/v1/account": {
            "get": {
                "operationId": "getAccount", "tags": ["account"], "summary": "Shows the account and what it has. Scope: read.",
                "responses": {
                    "200": {"description": "The account.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Account"}}}},
                    \#(Self.refusals)
                }
            }
        },
        "/v1/account/prices": {
            "get": {
                "operationId": "listPrices", "tags": ["account"],
                "summary": "Lists the prices that apply to the account: its own, and those for everybody that it has no own for. The longest prefix wins. Scope: read.",
                "responses": {"200": {"description": "All.", \#(Self.priceList)}, \#(Self.refusals)}
            },
            "put": {
                "operationId": "replacePrices", "tags": ["account"],
                "summary": "Makes these all of the account's own prices. For the operator. Scope: bill.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewPriceList"},
                    "example": {"prices": [{"channel": "sms", "prefix": "+41", "price": "0.05", "network": "22801"}]}
                }}},
                "responses": {"200": {"description": "What applies now; processes go by it within 5 seconds.", \#(Self.priceList)}, \#(Self.bodyRefusals)}
            }
        },
        "/v1/account/top-ups": {
            "post": {
                "operationId": "topUp", "tags": ["account"],
                "summary": "Pays something in, or takes something out, once for each id. The first makes the account prepaid. For the operator. Scope: bill.",
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewTopUp"}, "example": {"id": "2026-11-01", "amount": "100.00"}
                }}},
                "responses": {
                    "200": {"description": "It is paid in, now or before.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TopUp"}}}},
                    "409": {"description": "`top_up_differs`: another amount was paid in under this id. `balance_out_of_range`: it would leave less than nothing, or more than 10000000000.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
                    \#(Self.bodyRefusals)
                }
            }
        }
        """#

    private static let priceList =
        ##""content": {"application/json": {"schema": {"$ref": "#/components/schemas/PriceList"}}}"##

    static let accountSchemas = #"""
        "Amount": {"type": "string", "pattern": "^-?[0-9]{1,10}(\\.[0-9]{1,8})?$", "description": "Of the account's currency, exact to eight decimals."},
        "Currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."},
        "Account": {
            "type": "object", "additionalProperties": false, "required": ["name", "currency", "balance"],
            "properties": {
                "name": {"type": "string"},
                "currency": {"$ref": "#/components/schemas/Currency"},
                "balance": {"type": ["string", "null"], "description": "What is left; null for an account that pays afterwards."}
            },
            "examples": [{"name": "acme", "currency": "EUR", "balance": "97.35"}]
        },
        "Price": {
            "type": "object", "additionalProperties": false, "required": ["channel", "prefix", "price", "network", "own"],
            "properties": {
                "channel": {"$ref": "#/components/schemas/Channel"},
                "prefix": {"type": "string", "description": "What the number begins with; empty: all."},
                "price": {"$ref": "#/components/schemas/Amount"},
                "network": {"type": ["string", "null"], "description": "The mobile country and network code of numbers with this prefix."},
                "own": {"type": "boolean", "description": "Whether it is for this account only."}
            }
        },
        "PriceList": {
            "type": "object", "additionalProperties": false, "required": ["currency", "prices"],
            "properties": {
                "currency": {"$ref": "#/components/schemas/Currency"},
                "prices": {"type": "array", "items": {"$ref": "#/components/schemas/Price"}}
            }
        },
        "NewPriceList": {
            "type": "object", "additionalProperties": false, "required": ["prices"],
            "properties": {"prices": {"type": "array", "maxItems": 1000, "items": {
                "type": "object", "additionalProperties": false, "required": ["price"],
                "properties": {
                    "channel": {"$ref": "#/components/schemas/Channel", "default": "sms"},
                    "prefix": {"type": "string", "default": "", "description": "A plus sign and 1 to 15 digits; none for `email`."},
                    "price": {"$ref": "#/components/schemas/Amount", "description": "Of one segment, a call or a mail; not negative."},
                    "network": {"type": "string", "pattern": "^[0-9]{3,6}$"}
                }
            }}}
        },
        "NewTopUp": {
            "type": "object", "additionalProperties": false, "required": ["id", "amount"],
            "properties": {
                "id": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Yours. The same again changes nothing."},
                "amount": {"$ref": "#/components/schemas/Amount", "description": "Negative: taken out."}
            }
        },
        "TopUp": {
            "type": "object", "additionalProperties": false, "required": ["id", "amount", "currency", "balance"],
            "properties": {
                "id": {"type": "string"},
                "amount": {"$ref": "#/components/schemas/Amount"},
                "currency": {"$ref": "#/components/schemas/Currency"},
                "balance": {"type": "string", "description": "What the account has now."}
            }
        }
        """#
}
