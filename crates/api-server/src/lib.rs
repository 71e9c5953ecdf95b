//! Health, metrics, provisioning, and the recorder of history.
