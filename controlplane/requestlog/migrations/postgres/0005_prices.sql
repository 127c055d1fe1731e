-- What else has a price, and where the cost of a row comes from. NULL is none.
ALTER TABLE api_logs
    ADD COLUMN cache_write_1h_tokens bigint CHECK (cache_write_1h_tokens >= 0),
    ADD COLUMN input_image_tokens bigint CHECK (input_image_tokens >= 0),
    ADD COLUMN output_image_tokens bigint CHECK (output_image_tokens >= 0),
    ADD COLUMN input_audio_tokens bigint CHECK (input_audio_tokens >= 0),
    ADD COLUMN cached_audio_tokens bigint CHECK (cached_audio_tokens >= 0),
    ADD COLUMN output_audio_tokens bigint CHECK (output_audio_tokens >= 0),
    ADD COLUMN input_images bigint CHECK (input_images >= 0),
    ADD COLUMN output_images bigint CHECK (output_images >= 0),
    ADD COLUMN web_searches bigint CHECK (web_searches >= 0),
    ADD COLUMN server_tool_calls bigint CHECK (server_tool_calls >= 0),
    ADD COLUMN service_tier text,
    ADD COLUMN is_byok boolean,
    ADD COLUMN cost_source text,
    ADD COLUMN price_version text,
    ADD COLUMN original_cost_usd numeric,
    ADD COLUMN original_price_version text,
    ADD COLUMN repriced_at timestamptz;
COMMENT ON COLUMN api_logs.cost_source IS 'list, free, upstream, partial (no price for some of what was used) or unknown';
COMMENT ON COLUMN api_logs.price_version IS 'name of the prices that cost_usd was computed with';
COMMENT ON COLUMN api_logs.original_cost_usd IS 'cost_usd as it was before the row was repriced the first time; only with repriced_at';
