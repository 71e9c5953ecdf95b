//! The key gateway: a streaming reverse proxy that binds each model key to the address that first used it.
