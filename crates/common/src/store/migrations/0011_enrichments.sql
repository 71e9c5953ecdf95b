-- What a model's answer made of an event that had already gone out. `reasons` are those of routing, which was asked again.
CREATE TABLE enrichments (
    tenant_id  BIGINT NOT NULL,
    event_id   TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    reasons    TEXT   NOT NULL,
    severity   TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    category   TEXT   NOT NULL,
    system     TEXT   NOT NULL,
    summary    TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    origin     TEXT   NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
