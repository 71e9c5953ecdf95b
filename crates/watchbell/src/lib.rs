//! The all-in-one binary and the command line.
