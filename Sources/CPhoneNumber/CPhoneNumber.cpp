#include "CPhoneNumber.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

#include <string>

using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

#define SAME(ours, theirs) static_assert(int(ours) == int(PhoneNumberUtil::theirs), "another libphonenumber")

SAME(CPHONENUMBER_PARSED, NO_PARSING_ERROR);
SAME(CPHONENUMBER_PARSING_INVALID_COUNTRY_CODE, INVALID_COUNTRY_CODE_ERROR);
SAME(CPHONENUMBER_PARSING_NOT_A_NUMBER, NOT_A_NUMBER);
SAME(CPHONENUMBER_PARSING_TOO_SHORT_AFTER_IDD, TOO_SHORT_AFTER_IDD);
SAME(CPHONENUMBER_PARSING_TOO_SHORT, TOO_SHORT_NSN);
SAME(CPHONENUMBER_PARSING_TOO_LONG, TOO_LONG_NSN);

SAME(CPHONENUMBER_LENGTH_POSSIBLE, IS_POSSIBLE);
SAME(CPHONENUMBER_LENGTH_POSSIBLE_LOCALLY, IS_POSSIBLE_LOCAL_ONLY);
SAME(CPHONENUMBER_LENGTH_INVALID_COUNTRY_CODE, INVALID_COUNTRY_CODE);
SAME(CPHONENUMBER_LENGTH_TOO_SHORT, TOO_SHORT);
SAME(CPHONENUMBER_LENGTH_INVALID, INVALID_LENGTH);
SAME(CPHONENUMBER_LENGTH_TOO_LONG, TOO_LONG);

SAME(CPHONENUMBER_TYPE_FIXED_LINE, FIXED_LINE);
SAME(CPHONENUMBER_TYPE_MOBILE, MOBILE);
SAME(CPHONENUMBER_TYPE_FIXED_LINE_OR_MOBILE, FIXED_LINE_OR_MOBILE);
SAME(CPHONENUMBER_TYPE_TOLL_FREE, TOLL_FREE);
SAME(CPHONENUMBER_TYPE_PREMIUM_RATE, PREMIUM_RATE);
SAME(CPHONENUMBER_TYPE_SHARED_COST, SHARED_COST);
SAME(CPHONENUMBER_TYPE_VOIP, VOIP);
SAME(CPHONENUMBER_TYPE_PERSONAL, PERSONAL_NUMBER);
SAME(CPHONENUMBER_TYPE_PAGER, PAGER);
SAME(CPHONENUMBER_TYPE_UAN, UAN);
SAME(CPHONENUMBER_TYPE_VOICEMAIL, VOICEMAIL);
SAME(CPHONENUMBER_TYPE_UNKNOWN, UNKNOWN);

/// The library's only instance, which it never destroys. It would write its errors to standard output, which is no
/// place for them and may show what was looked up, so it is silenced before anybody can use it.
static const PhoneNumberUtil &library() {
    static const PhoneNumberUtil *const silenced = [] {
        PhoneNumberUtil *const instance = PhoneNumberUtil::GetInstance();
        instance->SetLogger(new NullLogger);
        return instance;
    }();
    return *silenced;
}

bool cphonenumber_look_up(const char *number, size_t byte_count, struct cphonenumber_facts *facts) try {
    PhoneNumber parsed;
    std::string region, canonical;
    // "ZZ": a number without a country code belongs to no country.
    const auto parsing = library().Parse(std::string(number, byte_count), "ZZ", &parsed);
    library().GetRegionCodeForNumber(parsed, &region);
    library().Format(parsed, PhoneNumberUtil::E164, &canonical);
    cphonenumber_facts found = {
        cphonenumber_parsing(parsing),
        cphonenumber_length(library().IsPossibleNumberWithReason(parsed)),
        cphonenumber_type(library().GetNumberType(parsed)),
        library().IsValidNumber(parsed),
        parsed.country_code(),
        {},
        {},
    };
    region.copy(found.region, sizeof found.region - 1);
    if (canonical.size() < sizeof found.canonical) canonical.copy(found.canonical, canonical.size());
    *facts = found;
    return true;
} catch (...) {
    return false;
}

int cphonenumber_country_code(const char *region, size_t byte_count) try {
    return library().GetCountryCodeForRegion(std::string(region, byte_count));
} catch (...) {
    return 0;
}
