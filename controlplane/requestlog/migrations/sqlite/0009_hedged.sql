-- hedged_endpoint was sent the request beside the one that answered, and broken
-- off; the cost of its prompt is an estimate, and not part of cost_pico.
ALTER TABLE api_logs ADD COLUMN hedged_endpoint TEXT;
ALTER TABLE api_logs ADD COLUMN hedged_cost_pico INTEGER;
ALTER TABLE api_logs ADD COLUMN hedged_cost_usd REAL GENERATED ALWAYS AS (hedged_cost_pico / 1e12) VIRTUAL;
