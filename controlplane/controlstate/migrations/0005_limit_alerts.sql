-- Thresholds of limits that were crossed, each once per period and value of the
-- limit. event: what the webhook gets, JSON. delivery: none (there was no webhook),
-- pending, delivered or failed.
CREATE TABLE control_limit_alerts (
    counter  TEXT NOT NULL,
    period   BIGINT NOT NULL,
    value    BIGINT NOT NULL,
    percent  BIGINT NOT NULL,
    event    TEXT NOT NULL,
    created  BIGINT NOT NULL,
    delivery TEXT NOT NULL,
    PRIMARY KEY (counter, period, value, percent)
);
