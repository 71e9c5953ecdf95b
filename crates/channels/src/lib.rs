//! Destinations, one file each, and how a message is rendered.
