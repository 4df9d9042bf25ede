#pragma once

// libphonenumber speaks C++ only, with strings and protocol buffers in its interface: Swift sees this instead.

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// The library's own numbers, which the implementation checks when it is compiled.

enum cphonenumber_parsing {
    CPHONENUMBER_PARSED,
    CPHONENUMBER_PARSING_INVALID_COUNTRY_CODE,
    CPHONENUMBER_PARSING_NOT_A_NUMBER,
    CPHONENUMBER_PARSING_TOO_SHORT_AFTER_IDD,
    CPHONENUMBER_PARSING_TOO_SHORT,
    CPHONENUMBER_PARSING_TOO_LONG,
};

enum cphonenumber_length {
    CPHONENUMBER_LENGTH_POSSIBLE,
    CPHONENUMBER_LENGTH_POSSIBLE_LOCALLY,
    CPHONENUMBER_LENGTH_INVALID_COUNTRY_CODE,
    CPHONENUMBER_LENGTH_TOO_SHORT,
    CPHONENUMBER_LENGTH_INVALID,
    CPHONENUMBER_LENGTH_TOO_LONG,
};

enum cphonenumber_type {
    CPHONENUMBER_TYPE_FIXED_LINE,
    CPHONENUMBER_TYPE_MOBILE,
    CPHONENUMBER_TYPE_FIXED_LINE_OR_MOBILE,
    CPHONENUMBER_TYPE_TOLL_FREE,
    CPHONENUMBER_TYPE_PREMIUM_RATE,
    CPHONENUMBER_TYPE_SHARED_COST,
    CPHONENUMBER_TYPE_VOIP,
    CPHONENUMBER_TYPE_PERSONAL,
    CPHONENUMBER_TYPE_PAGER,
    CPHONENUMBER_TYPE_UAN,
    CPHONENUMBER_TYPE_VOICEMAIL,
    CPHONENUMBER_TYPE_UNKNOWN,
};

/// What the library says of a number. Unless `parsing` is CPHONENUMBER_PARSED, all else is without meaning.
struct cphonenumber_facts {
    enum cphonenumber_parsing parsing;
    enum cphonenumber_length length;
    enum cphonenumber_type type;
    bool valid;
    int country_code;
    /// Two letters, "001" for what belongs to no country, "ZZ" for unknown.
    char region[4];
    /// In E.164 without a national prefix; empty when that is no number of 15 digits at most.
    char canonical[17];
};

/// Looks up a number that carries its country code. False, with `facts` as it was, when the library threw, for which
/// memory must have run out. Any thread may call it at any time.
bool cphonenumber_look_up(const char *number, size_t byte_count, struct cphonenumber_facts *facts);

/// The calling code of a country in ISO 3166's two letters; 0 for what is none, and when the library threw. Any thread may call it at
/// any time.
int cphonenumber_country_code(const char *region, size_t byte_count);

#ifdef __cplusplus
}
#endif
