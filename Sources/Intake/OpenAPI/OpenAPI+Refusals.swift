// What all operations have in common: how they refuse.
extension OpenAPI {
    /// What the server says before anybody looks at the request, and when the database is away.
    static let serverRefusals = #"""
        "400": {"$ref": "#/components/responses/BadRequest"},
        "408": {"$ref": "#/components/responses/Timeout"},
        "414": {"$ref": "#/components/responses/HeaderTooLarge"},
        "431": {"$ref": "#/components/responses/HeaderTooLarge"},
        "503": {"$ref": "#/components/responses/Unavailable"}
        """#

    /// Of an operation that needs a key.
    static let refusals = #"""
        "401": {"$ref": "#/components/responses/Unauthorized"},
        "403": {"$ref": "#/components/responses/Forbidden"},
        \#(Self.serverRefusals)
        """#

    /// Of an operation that needs a key and reads a body.
    static let bodyRefusals = #"""
        "413": {"$ref": "#/components/responses/BodyTooLarge"},
        "422": {"$ref": "#/components/responses/Invalid"},
        \#(Self.refusals)
        """#

    static let notFound = ##""404": {"$ref": "#/components/responses/NotFound"}"##
    static let ended = ##""404": {"$ref": "#/components/responses/VerificationEnded"}"##
    static let tooMany = ##""409": {"$ref": "#/components/responses/TooMany"}"##

    static let refusalResponses = #"""
        "BadRequest": {"description": "`invalid_json`, with line and column; `invalid_query`; `bad_request`: no HTTP.", \#(Self.problem)},
        "Unauthorized": {"description": "`unauthorized`: no key, an unknown one, a revoked or an expired one.", "headers": {"WWW-Authenticate": {"required": true, "schema": {"const": "Bearer"}}}, \#(Self.problem)},
        "OutOfBalance": {"description": "`out_of_balance`: it costs more than the account has. Nothing was stored, nor charged.", \#(Self.problem)},
        "Forbidden": {"description": "`missing_scope`: the key may not do this. Of what sends: `country_off`, `blocked`: the guard is against it.", \#(Self.waiting), \#(Self.problem)},
        "NotFound": {"description": "`not_found`: your account has none of this id.", \#(Self.problem)},
        "VerificationEnded": {"description": "`verification_ended`: one answer, byte for byte, for a verification that is unknown, someone else's, expired, used or exhausted.", \#(Self.problem)},
        "Timeout": {"description": "`timeout`: the request took too long to arrive.", \#(Self.problem)},
        "TooMany": {"description": "`too_many`: there are 1000 already.", \#(Self.problem)},
        "InFlight": {"description": "`request_in_flight`: wait for the first request with this Idempotency-Key.", \#(Self.problem)},
        "BodyTooLarge": {"description": "`body_too_large`: the body has more than 4 MiB.", \#(Self.problem)},
        "HeaderTooLarge": {"description": "`header_too_large`: the head has more than 16 KiB.", \#(Self.problem)},
        "Invalid": {"description": "`invalid_request`: `errors` names every problem and its place; nothing was stored. `idempotency_key_reused`: the key was used for another request. `number_impossible`, `number_type`: nothing is sent to such numbers.", \#(Self.problem)},
        "GuardLimited": {"description": "`velocity_number`, `velocity_block`, `velocity_country`, `velocity_account`, `velocity_address`, `velocity_device`, `wrong_guesses`, `pumping_score`, `spend_cap`: the guard lets no more pass for now.", \#(Self.waiting), \#(Self.problem)},
        "SendLimited": {"description": "`application_limit`, `recipient_limit`: as many codes were sent as may be for now. `recipient_locked`: too many guesses failed; unlock the recipient. `resend_too_early`, `sends_spent`: of a resend. Those of GuardLimited.", \#(Self.waiting), \#(Self.problem)},
        "CheckLimited": {"description": "`too_many_checks`: the guesses come too fast. `recipient_locked`: too many guesses failed; without Retry-After, until the recipient is unlocked. `wrong_guesses`: too many from there were wrong. Nothing was evaluated.", \#(Self.waiting), \#(Self.problem)},
        "Unavailable": {"description": "`unavailable`: nothing was stored. `signals_missing`: nor was it, as the guard cannot see now what has been sent to a guarded country. `outcome_unknown`, `not_answered`: it may have been; ask again with the same Idempotency-Key, or look.", "headers": {"Retry-After": {"required": true, "schema": {"type": "integer", "minimum": 0}}}, \#(Self.problem)}
        """#

    private static let waiting = ##""headers": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}"##

    private static let problem =
        ##""content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}"##

    static let problemSchemas = #"""
        "Problem": {
            "description": "A refusal (RFC 9457).",
            "type": "object", "additionalProperties": false,
            "required": ["type", "title", "status", "code", "detail"],
            "properties": {
                "type": {"const": "about:blank"},
                "title": {"type": "string", "description": "The status in words."},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "code": {"type": "string", "description": "A stable word for programs.", "enum": [
                    "invalid_json", "invalid_query", "bad_request", "unauthorized", "out_of_balance", "missing_scope", "not_found",
                    "verification_ended", "method_not_allowed", "timeout", "request_in_flight", "too_late", "too_many",
                    "top_up_differs", "balance_out_of_range", "webhook_disabled", "no_signing_keys", "already_due",
                    "body_too_large", "header_too_large", "invalid_request", "idempotency_key_reused",
                    "too_many_checks", "recipient_locked", "resend_too_early", "sends_spent", "recipient_limit",
                    "country_off", "number_type", "number_impossible", "blocked", "velocity_number", "velocity_block",
                    "velocity_country", "velocity_account", "velocity_address", "velocity_device", "wrong_guesses",
                    "pumping_score", "signals_missing", "spend_cap", "application_limit", "unavailable", "outcome_unknown", "not_answered"
                ]},
                "detail": {"type": "string", "description": "A sentence for people. Never a value from the request."},
                "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemPlace"}}
            },
            "examples": [{
                "type": "about:blank", "title": "Unprocessable Content", "status": 422, "code": "invalid_request",
                "detail": "The request was understood but cannot be accepted; nothing was stored.",
                "errors": [{"path": "/placeholders/name", "problem": "is required by the template"}]
            }]
        },
        "ProblemPlace": {
            "type": "object", "additionalProperties": false, "required": ["path", "problem"],
            "properties": {
                "path": {"type": "string", "description": "A JSON Pointer (RFC 6901) into the body, or the name of a parameter or header field."},
                "problem": {"type": "string"}
            }
        }
        """#

    static let parameters = #"""
        "Key": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key with the same request is answered the same, byte for byte, for 24 hours, and nothing is stored twice.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        },
        "MessageID": {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}},
        "VerificationID": {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}},
        "EventID": {"name": "id", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/EventID"}},
        "Name": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}
        """#
}
