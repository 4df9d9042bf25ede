#pragma once
#include <openssl/err.h>
#include <openssl/ssl.h>

// Macros, which Swift cannot call.

static inline int ctls_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

/// From TLS 1.2 on, and no renegotiation, so that a write never waits for something to read.
static inline int ctls_restrict(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}
