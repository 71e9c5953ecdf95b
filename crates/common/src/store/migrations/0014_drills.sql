-- Until when a channel pretends to be down; 0: it does not.
ALTER TABLE channels ADD COLUMN drill_until BIGINT NOT NULL DEFAULT 0;
