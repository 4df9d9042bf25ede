import JSON

/// What one provider's side has done since the start.
struct Statistics {
    var requests = 0
    /// Messages.
    var accepted = 0
    var segments = 0
    var refused = 0
    /// Receipts, and not posts.
    var posted = 0
    /// Receipts in posts that the receiver did not take; each try counts.
    var failed = 0
    /// Receipts given up after the last try, or for want of room.
    var lost = 0

    var json: JSON {
        [
            "requests": JSON(self.requests), "accepted": JSON(self.accepted), "segments": JSON(self.segments),
            "refused": JSON(self.refused),
            "receipts": ["posted": JSON(self.posted), "failed": JSON(self.failed), "lost": JSON(self.lost)],
        ]
    }
}
