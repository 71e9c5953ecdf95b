-- How messages are written, and which channel uses what. Of a channel's templates, the first whose condition holds
-- is used; an empty condition always holds.

CREATE TABLE templates (
    id          BIGINT NOT NULL PRIMARY KEY,
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    name        TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    parse_mode  TEXT   NOT NULL,
    provisioned BIGINT NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
INSERT INTO ids (kind, last) VALUES ('templates', 0);

CREATE TABLE channel_templates (
    tenant_id   BIGINT NOT NULL,
    channel_id  BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    template_id BIGINT NOT NULL,
    used_when   TEXT   NOT NULL,
    PRIMARY KEY (channel_id, position),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, template_id) REFERENCES templates (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
