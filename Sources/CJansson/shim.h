#pragma once
#include <jansson.h>

/// `json_decref` is a static function over a macro that Swift imports oddly across versions.
static inline void cjansson_release(json_t *value) { json_decref(value); }

/// The code hides in the last byte of the text, read by an inline function.
static inline enum json_error_code cjansson_error_code(json_error_t error) { return json_error_code(&error); }
