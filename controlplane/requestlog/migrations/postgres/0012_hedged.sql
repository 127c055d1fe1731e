-- Attempts that were broken off because another endpoint was faster.
ALTER TABLE api_logs ADD COLUMN hedged_endpoint text COLLATE "C", ADD COLUMN hedged_cost_usd numeric;
COMMENT ON COLUMN api_logs.hedged_endpoint IS 'endpoint that was sent the request beside the one that answered, and broken off';
COMMENT ON COLUMN api_logs.hedged_cost_usd IS 'estimated cost of its prompt, which is not part of cost_usd';
