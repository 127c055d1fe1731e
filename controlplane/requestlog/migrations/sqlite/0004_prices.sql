-- What else has a price, and where the cost of a row comes from (list, free,
-- upstream, partial or unknown). NULL is none. The original columns are those
-- before the row was repriced the first time, at repriced_at.
ALTER TABLE api_logs ADD COLUMN cache_write_1h_tokens INTEGER CHECK (cache_write_1h_tokens >= 0);
ALTER TABLE api_logs ADD COLUMN input_image_tokens INTEGER CHECK (input_image_tokens >= 0);
ALTER TABLE api_logs ADD COLUMN output_image_tokens INTEGER CHECK (output_image_tokens >= 0);
ALTER TABLE api_logs ADD COLUMN input_audio_tokens INTEGER CHECK (input_audio_tokens >= 0);
ALTER TABLE api_logs ADD COLUMN cached_audio_tokens INTEGER CHECK (cached_audio_tokens >= 0);
ALTER TABLE api_logs ADD COLUMN output_audio_tokens INTEGER CHECK (output_audio_tokens >= 0);
ALTER TABLE api_logs ADD COLUMN input_images INTEGER CHECK (input_images >= 0);
ALTER TABLE api_logs ADD COLUMN output_images INTEGER CHECK (output_images >= 0);
ALTER TABLE api_logs ADD COLUMN web_searches INTEGER CHECK (web_searches >= 0);
ALTER TABLE api_logs ADD COLUMN server_tool_calls INTEGER CHECK (server_tool_calls >= 0);
ALTER TABLE api_logs ADD COLUMN service_tier TEXT;
ALTER TABLE api_logs ADD COLUMN is_byok INTEGER;
ALTER TABLE api_logs ADD COLUMN cost_source TEXT;
ALTER TABLE api_logs ADD COLUMN price_version TEXT;
ALTER TABLE api_logs ADD COLUMN original_cost_pico INTEGER;
ALTER TABLE api_logs ADD COLUMN original_price_version TEXT;
ALTER TABLE api_logs ADD COLUMN repriced_at TEXT;
ALTER TABLE api_logs ADD COLUMN original_cost_usd REAL GENERATED ALWAYS AS (original_cost_pico / 1e12) VIRTUAL;
