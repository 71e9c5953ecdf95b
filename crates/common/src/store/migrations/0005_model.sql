-- How long a rule's alerts may wait for the model's answer.
ALTER TABLE rules ADD COLUMN ai_max_wait_ms BIGINT;
