-- Which mute dropped an event at intake, and which silence kept it from the channels.
ALTER TABLE events ADD COLUMN mute_id BIGINT;
ALTER TABLE routings ADD COLUMN silence_id BIGINT;
CREATE INDEX events_by_mute ON events (tenant_id, mute_id, received_at) WHERE mute_id IS NOT NULL;
CREATE INDEX routings_by_silence ON routings (tenant_id, silence_id, at) WHERE silence_id IS NOT NULL;
