//! Port 25 to the queue: an SMTP server that only receives.
