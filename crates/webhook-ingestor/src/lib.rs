//! HTTP intake: push tokens and one file per dialect, to the queue.
