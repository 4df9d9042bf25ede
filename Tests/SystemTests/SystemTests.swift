import Testing

/// Tests of whole processes, as they run in production: real commands, real sockets, a real PostgreSQL, the carrier
/// in place of providers.
///
/// One after the other: each has the machine to itself, or its times would mean nothing.
@Suite(.serialized) enum SystemTests {}
