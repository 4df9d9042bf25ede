#pragma once
#include <ares.h>
#include <sys/time.h>

/// Milliseconds until `ares_process_fd` must be called though no socket is ready, rounded up; `longest` at most.
static inline long cares_patience(ares_channel channel, long longest) {
    struct timeval limit = {.tv_sec = longest / 1000, .tv_usec = longest % 1000 * 1000};
    struct timeval wait;
    struct timeval *found = ares_timeout(channel, &limit, &wait);
    return found->tv_sec * 1000 + (found->tv_usec + 999) / 1000;
}

/// The bytes of an answer's address; how many is `ai_addrlen`.
static inline const void *cares_address(const struct ares_addrinfo_node *node) { return node->ai_addr; }
