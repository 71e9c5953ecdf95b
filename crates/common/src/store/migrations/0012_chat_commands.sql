-- Scripts that answer in a chat, as an import brings them. Nothing runs them yet. `bot` is the name that their bot had
-- there; `bot_id` is that bot here, if it could be brought.
CREATE TABLE chat_commands (
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    bot         TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    bot_id      BIGINT,
    description TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    enabled     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, bot, name)
);
