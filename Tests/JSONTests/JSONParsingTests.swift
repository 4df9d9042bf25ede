import JSON
import Testing

@Suite struct JSONParsingTests {}
