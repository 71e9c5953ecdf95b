-- The raw bytes of an event, apart from it, so that lists read small rows and old bytes can be dropped first.
CREATE TABLE event_raw (
    tenant_id BIGINT NOT NULL,
    event_id  TEXT   NOT NULL,
    truncated BIGINT NOT NULL,
    raw       BLOB  NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
