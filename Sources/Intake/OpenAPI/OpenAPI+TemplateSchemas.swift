extension OpenAPI {
    static let templateSchemas = #"""
        "CodeType": {"type": "string", "enum": ["NUMERIC", "ALPHA", "HEX", "ALPHANUMERIC"]},
        "NewTextTemplate": {
            "description": "For SMS and voice.", "type": "object", "additionalProperties": false, "required": ["application", "text"],
            "properties": {
                "kind": {"const": "text", "default": "text"}, "application": {"type": "string"}, \#(Self.newCode), \#(Self.textFields)
            }
        },
        "NewEmailTemplate": {
            "description": "With `subject` and `text`, or the number of an `email_content`.",
            "type": "object", "additionalProperties": false, "required": ["kind", "application"],
            "properties": {
                "kind": {"const": "email"}, "application": {"type": "string"}, \#(Self.newCode), \#(Self.emailFields)
            }
        },
        "TextTemplateChange": {
            "type": "object", "additionalProperties": false,
            "properties": {
                "code_type": {"oneOf": [{"$ref": "#/components/schemas/CodeType"}, {"type": "null"}]},
                "code_length": {"type": ["integer", "null"], "minimum": 4, "maximum": 8},
                "text": {"type": "string"}, "sender": {"type": ["string", "null"]}, "language": {"type": ["string", "null"]},
                "voice": {"type": ["string", "null"]}, "repeat_dtmf": {"type": ["string", "null"]},
                "speech_rate": {"type": ["number", "null"]}, "india_dlt": {"type": ["object", "null"]}
            }
        },
        "EmailTemplateChange": {
            "type": "object", "additionalProperties": false,
            "properties": {
                "code_type": {"oneOf": [{"$ref": "#/components/schemas/CodeType"}, {"type": "null"}]},
                "code_length": {"type": ["integer", "null"], "minimum": 4, "maximum": 8},
                "email_content": {"type": ["integer", "null"]}, "subject": {"type": ["string", "null"]},
                "text": {"type": ["string", "null"]}, "sender": {"type": ["string", "null"]},
                "landing_page": {"type": ["string", "null"]}
            }
        },
        "TextTemplate": {
            "type": "object", "additionalProperties": false,
            "required": ["id", "application", "kind", "code_type", "code_length", "text"],
            "properties": {\#(Self.place), "kind": {"const": "text"}, \#(Self.code), \#(Self.textFields)},
            "examples": [{
                "id": "16A8B5FE2BCD6CA716A2D780CB3F3390", "application": "0933F3BC087D2A617AC6DCB2EF5B8A61",
                "kind": "text", "code_type": "NUMERIC", "code_length": 6, "text": "Your code for {{shop}} is {{pin}}"
            }]
        },
        "EmailTemplate": {
            "type": "object", "additionalProperties": false, "required": ["id", "application", "kind", "code_type", "code_length"],
            "properties": {\#(Self.place), "kind": {"const": "email"}, \#(Self.code), \#(Self.emailFields)}
        },
        "TemplateList": {
            "type": "object", "additionalProperties": false, "required": ["templates"],
            "properties": {"templates": {"type": "array", "items": {
                "oneOf": [{"$ref": "#/components/schemas/TextTemplate"}, {"$ref": "#/components/schemas/EmailTemplate"}]
            }}}
        },
        "IndiaDLT": {
            "description": "What a message to India names of the register there.",
            "type": "object", "additionalProperties": false, "required": ["principal_entity_id"],
            "properties": {
                "principal_entity_id": {"type": "string", "minLength": 1, "maxLength": 30},
                "content_template_id": {"type": "string", "minLength": 1, "maxLength": 30},
                "tele_marketer_id": {"type": "string", "minLength": 1, "maxLength": 255}
            }
        }
        """#

    private static let place = #"""
        "id": {"type": "string"}, "application": {"type": "string"}
        """#

    private static let newCode = #"""
        "code_type": {"$ref": "#/components/schemas/CodeType", "default": "NUMERIC"},
        "code_length": {"type": "integer", "minimum": 4, "maximum": 8, "default": 6}
        """#

    /// A vendor's API makes shorter ones too.
    private static let code = #"""
        "code_type": {"$ref": "#/components/schemas/CodeType"},
        "code_length": {"type": "integer", "minimum": 1, "maximum": 8}
        """#

    private static let textFields = #"""
        "text": {"type": "string", "minLength": 1, "maxLength": 4000, "description": "With {{pin}} where the code goes, and a name in braces for each placeholder."},
        "sender": {"type": "string", "minLength": 1, "maxLength": 15},
        "language": {"type": "string", "description": "What a voice speaks: en, es, ca, da, nl, fr, de, it, ja, ko, no, pl, ru, sv, fi, hr, sl, ro, pt_pt, pt_br, zh_cn, zh_tw."},
        "voice": {"type": "string", "minLength": 1, "maxLength": 64},
        "repeat_dtmf": {"type": "string", "pattern": "^[0-9*#]#?$", "description": "The keys that have a call begin again."},
        "speech_rate": {"type": "number", "minimum": 0.5, "maximum": 2},
        "india_dlt": {"$ref": "#/components/schemas/IndiaDLT"}
        """#

    private static let emailFields = #"""
        "email_content": {"type": "integer", "minimum": 1, "description": "The number of a subject and a text that the account keeps apart."},
        "subject": {"type": "string", "minLength": 1, "maxLength": 200},
        "text": {"type": "string", "minLength": 1, "maxLength": 16000, "description": "As of a text template."},
        "sender": {"type": "string", "minLength": 3, "maxLength": 320, "description": "An address, or `Name <address>`."},
        "landing_page": {"type": "string", "minLength": 1, "maxLength": 255}
        """#
}
