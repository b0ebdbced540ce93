-- Every price: dimensions besides tokens, long contexts, tiers, speeds and
-- regions, patterns of models, groups' own multipliers, and what it all costs
-- the operator.

-- Patterns.
ALTER TABLE model ADD CONSTRAINT model_name_star
    CHECK (position('*' IN left(name, -1)) = 0);
COMMENT ON COLUMN model.name IS 'The name in a call''s "model" member.  One that ends in "*" is a pattern for all names that begin like it and fit no longer pattern nor exactly. Operator: controller.';
CREATE INDEX model_pattern ON model (name) WHERE right(name, 1) = '*';

CREATE VIEW model_match AS
	SELECT m.id AS model_id, m.id AS match_id, 1000 AS rank FROM model m
	UNION ALL
	SELECT m.id, p.id, length(p.name) FROM model p
	    JOIN model m ON starts_with(m.name, left(p.name, -1))
	    AND m.id <> p.id
	    WHERE right(p.name, 1) = '*';
COMMENT ON VIEW model_match IS 'Whose price, route or multiplier holds for a model: its own, else that of the longest pattern, which is the highest rank. Operator: controller, no personal data.';

-- What a price row has.
ALTER TABLE price
	ADD COLUMN input_audio_nano bigint
	    CHECK (input_audio_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN output_audio_nano bigint
	    CHECK (output_audio_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN cache_read_audio_nano bigint
	    CHECK (cache_read_audio_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN input_image_nano bigint
	    CHECK (input_image_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN output_image_nano bigint
	    CHECK (output_image_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN per_image_nano bigint
	    CHECK (per_image_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN per_call_nano bigint
	    CHECK (per_call_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN per_minute_nano bigint
	    CHECK (per_minute_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN per_1000_characters_nano bigint
	    CHECK (per_1000_characters_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN per_tool_call_nano bigint
	    CHECK (per_tool_call_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN long_above_count bigint
	    CHECK (long_above_count BETWEEN 1 AND 1000000000),
	ADD COLUMN long_input_nano bigint
	    CHECK (long_input_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN long_output_nano bigint
	    CHECK (long_output_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN long_cache_read_nano bigint
	    CHECK (long_cache_read_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN long_cache_write_5m_nano bigint
	    CHECK (long_cache_write_5m_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN long_cache_write_1h_nano bigint
	    CHECK (long_cache_write_1h_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN long_input_multiplier_ppm bigint
	    CHECK (long_input_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN long_output_multiplier_ppm bigint
	    CHECK (long_output_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN flex_multiplier_ppm bigint
	    CHECK (flex_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN scale_multiplier_ppm bigint
	    CHECK (scale_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN priority_multiplier_ppm bigint
	    CHECK (priority_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN fast_tier_multiplier_ppm bigint
	    CHECK (fast_tier_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN ultrafast_tier_multiplier_ppm bigint
	    CHECK (ultrafast_tier_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN batch_multiplier_ppm bigint
	    CHECK (batch_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN other_tier_multiplier_ppm bigint
	    CHECK (other_tier_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN fast_multiplier_ppm bigint
	    CHECK (fast_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN us_multiplier_ppm bigint
	    CHECK (us_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN eu_multiplier_ppm bigint
	    CHECK (eu_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN other_region_multiplier_ppm bigint
	    CHECK (other_region_multiplier_ppm BETWEEN 1 AND 1000000000),
	ADD COLUMN minimum_nano bigint
	    CHECK (minimum_nano BETWEEN 0 AND 1000000000000000),
	ADD COLUMN free boolean NOT NULL DEFAULT false,
	ADD COLUMN images bigint[] NOT NULL DEFAULT '{}'
	    CHECK (cardinality(images) % 4 = 0 AND cardinality(images) <= 48
	    AND 0 <= ALL (images) AND 1000000000000000 >= ALL (images));
COMMENT ON TABLE price IS 'What a model costs from some time on: nano-units per million tokens, or per what the column is called after.  Append-only: of a model''s rows whose time has come the one with the latest effective_from holds, of equals the latest id. Operator: controller, no personal data but created_by.';
COMMENT ON COLUMN price.input_audio_nano IS 'Audio tokens read; NULL: as input. Operator: controller.';
COMMENT ON COLUMN price.output_audio_nano IS 'Audio tokens made; NULL: as output. Operator: controller.';
COMMENT ON COLUMN price.cache_read_audio_nano IS 'Audio tokens served from a cache; NULL: as audio read. Operator: controller.';
COMMENT ON COLUMN price.input_image_nano IS 'Image tokens read; NULL: as input. Operator: controller.';
COMMENT ON COLUMN price.output_image_nano IS 'Image tokens made; NULL: as output. Operator: controller.';
COMMENT ON COLUMN price.per_image_nano IS 'An image made, of a size and quality that images doesn''t name; NULL: not priced. Operator: controller.';
COMMENT ON COLUMN price.per_call_nano IS 'A call, besides all else; NULL: nothing. Operator: controller.';
COMMENT ON COLUMN price.per_minute_nano IS 'A minute of audio, charged by the millisecond; NULL: not priced. Operator: controller.';
COMMENT ON COLUMN price.per_1000_characters_nano IS '1000 characters of text to be spoken, charged one by one; NULL: not priced. Operator: controller.';
COMMENT ON COLUMN price.per_tool_call_nano IS 'A call of a tool that the provider runs, such as a web search; NULL: not priced. Operator: controller.';
COMMENT ON COLUMN price.long_above_count IS 'With more input tokens than that, cached ones included, the long_ prices hold for the whole call; NULL: never. Operator: controller.';
COMMENT ON COLUMN price.long_input_nano IS 'Input tokens of a long call; NULL: by the multiplier. Operator: controller.';
COMMENT ON COLUMN price.long_output_nano IS 'Output tokens of a long call; NULL: by the multiplier. Operator: controller.';
COMMENT ON COLUMN price.long_cache_read_nano IS 'Cache reads of a long call; NULL: by the multiplier. Operator: controller.';
COMMENT ON COLUMN price.long_cache_write_5m_nano IS 'Short-lived cache writes of a long call; NULL: by the multiplier. Operator: controller.';
COMMENT ON COLUMN price.long_cache_write_1h_nano IS 'Long-lived cache writes of a long call; NULL: by the multiplier. Operator: controller.';
COMMENT ON COLUMN price.long_input_multiplier_ppm IS 'Millionths by which prices of input tokens are multiplied in a long call; NULL: one. Operator: controller.';
COMMENT ON COLUMN price.long_output_multiplier_ppm IS 'The same for output tokens. Operator: controller.';
COMMENT ON COLUMN price.flex_multiplier_ppm IS 'Millionths for all but calls and tool calls, if served in the flex tier; NULL: one. Operator: controller.';
COMMENT ON COLUMN price.scale_multiplier_ppm IS 'The same for the scale tier. Operator: controller.';
COMMENT ON COLUMN price.priority_multiplier_ppm IS 'The same for the priority tier. Operator: controller.';
COMMENT ON COLUMN price.fast_tier_multiplier_ppm IS 'The same for the fast tier. Operator: controller.';
COMMENT ON COLUMN price.ultrafast_tier_multiplier_ppm IS 'The same for the ultrafast tier. Operator: controller.';
COMMENT ON COLUMN price.batch_multiplier_ppm IS 'The same for the batch tier. Operator: controller.';
COMMENT ON COLUMN price.other_tier_multiplier_ppm IS 'The same for a tier that is not known here. Operator: controller.';
COMMENT ON COLUMN price.fast_multiplier_ppm IS 'The same for the fast speed. Operator: controller.';
COMMENT ON COLUMN price.us_multiplier_ppm IS 'The same for a call that was served in the United States. Operator: controller.';
COMMENT ON COLUMN price.eu_multiplier_ppm IS 'The same for the European Union. Operator: controller.';
COMMENT ON COLUMN price.other_region_multiplier_ppm IS 'The same for another region. Operator: controller.';
COMMENT ON COLUMN price.minimum_nano IS 'The least that a call costs, before the group''s multiplier; NULL: nothing. Operator: controller.';
COMMENT ON COLUMN price.free IS 'Costs nothing, on purpose; then nothing else is set. Operator: controller.';
COMMENT ON COLUMN price.images IS 'Images by size and quality: width, height (0: any), quality (0 any, 1 low, 2 medium, 3 high), nano-units for one; and so on. Operator: controller.';

-- What a channel costs the operator.  A table of its own, for customers' eyes
-- must not reach it.
CREATE TABLE cost (
	LIKE price INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS,
	channel_id bigint NOT NULL REFERENCES channel
);
ALTER TABLE cost ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE cost ADD PRIMARY KEY (id);
ALTER TABLE cost ADD FOREIGN KEY (model_id) REFERENCES model;
CREATE INDEX cost_channel ON cost (channel_id, model_id, effective_from, id);
COMMENT ON TABLE cost IS 'What a channel''s provider charges the operator for a model from some time on; members as in price.  Append-only; a row may begin in the past. Operator: controller, no personal data but created_by.';
COMMENT ON COLUMN cost.id IS 'Number of the row. Operator: controller.';
COMMENT ON COLUMN cost.channel_id IS 'The channel. Operator: controller.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON cost
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON cost
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON cost
    FOR EACH ROW EXECUTE FUNCTION audit_change();

-- A group's own multiplier for some models.
CREATE TABLE group_model (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	group_id bigint NOT NULL REFERENCES customer_group,
	model_id bigint NOT NULL REFERENCES model,
	multiplier_ppm integer NOT NULL
	    CHECK (multiplier_ppm BETWEEN 0 AND 1000000000),
	created timestamptz NOT NULL DEFAULT now(),
	UNIQUE (group_id, model_id)
);
CREATE INDEX group_model_model ON group_model (model_id);
COMMENT ON TABLE group_model IS 'A multiplier for a group and a model or pattern, instead of the group''s; call records keep the one that applied. Operator: controller, no personal data.';
COMMENT ON COLUMN group_model.id IS 'Number of the row. Operator: controller.';
COMMENT ON COLUMN group_model.group_id IS 'The group. Operator: controller.';
COMMENT ON COLUMN group_model.model_id IS 'The model or pattern. Operator: controller.';
COMMENT ON COLUMN group_model.multiplier_ppm IS 'Millionths. Operator: controller.';
COMMENT ON COLUMN group_model.created IS 'When it was added. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON group_model
    FOR EACH ROW EXECUTE FUNCTION audit_change();
CREATE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON group_model
    FOR EACH ROW EXECUTE FUNCTION tell_change();

-- What a call record has.
ALTER TABLE call
	ADD COLUMN input_audio_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN output_audio_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN input_image_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN output_image_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN images bigint NOT NULL DEFAULT 0,
	ADD COLUMN calls bigint NOT NULL DEFAULT 0,
	ADD COLUMN milliseconds bigint NOT NULL DEFAULT 0,
	ADD COLUMN characters bigint NOT NULL DEFAULT 0,
	ADD COLUMN tool_calls bigint NOT NULL DEFAULT 0,
	ADD COLUMN cache_read_audio_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN other_model_id bigint,
	ADD COLUMN other_price_version bigint,
	ADD COLUMN other_input_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN other_output_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN other_cache_read_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN other_cache_write_5m_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN other_cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
	ADD COLUMN image_width integer NOT NULL DEFAULT 0,
	ADD COLUMN image_height integer NOT NULL DEFAULT 0,
	ADD COLUMN tier integer NOT NULL DEFAULT 0,
	ADD COLUMN speed integer NOT NULL DEFAULT 0,
	ADD COLUMN region integer NOT NULL DEFAULT 0,
	ADD COLUMN image_quality integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN call.input_audio_tokens IS 'Audio tokens read. Operator: controller.';
COMMENT ON COLUMN call.output_audio_tokens IS 'Audio tokens made. Operator: controller.';
COMMENT ON COLUMN call.input_image_tokens IS 'Image tokens read. Operator: controller.';
COMMENT ON COLUMN call.output_image_tokens IS 'Image tokens made. Operator: controller.';
COMMENT ON COLUMN call.images IS 'Images made. Operator: controller.';
COMMENT ON COLUMN call.calls IS '1 if the call was charged for. Operator: controller.';
COMMENT ON COLUMN call.milliseconds IS 'Of audio. Operator: controller.';
COMMENT ON COLUMN call.characters IS 'Of text to be spoken. Operator: controller.';
COMMENT ON COLUMN call.tool_calls IS 'Calls of tools that the provider ran. Operator: controller.';
COMMENT ON COLUMN call.cache_read_audio_tokens IS 'Audio tokens from a cache. Operator: controller.';
COMMENT ON COLUMN call.other_model_id IS 'Another model that did a part of it; NULL: none, or one that isn''t sold. Operator: controller.';
COMMENT ON COLUMN call.other_price_version IS 'The price row that applied to that part; NULL: price_version. Operator: controller.';
COMMENT ON COLUMN call.other_input_tokens IS 'Input of that part. Operator: controller.';
COMMENT ON COLUMN call.other_output_tokens IS 'Output of that part. Operator: controller.';
COMMENT ON COLUMN call.other_cache_read_tokens IS 'Input from a cache of that part. Operator: controller.';
COMMENT ON COLUMN call.other_cache_write_5m_tokens IS 'Input written to a short-lived cache, of that part. Operator: controller.';
COMMENT ON COLUMN call.other_cache_write_1h_tokens IS 'Input written to a long-lived cache, of that part. Operator: controller.';
COMMENT ON COLUMN call.image_width IS 'Pixels of the images; 0: unknown. Operator: controller.';
COMMENT ON COLUMN call.image_height IS 'Pixels of the images; 0: unknown. Operator: controller.';
COMMENT ON COLUMN call.tier IS 'The tier that it was served in (enum usage_tier). Operator: controller.';
COMMENT ON COLUMN call.speed IS 'At which speed (enum usage_speed). Operator: controller.';
COMMENT ON COLUMN call.region IS 'In which region (enum usage_region). Operator: controller.';
COMMENT ON COLUMN call.image_quality IS 'Quality of the images (enum usage_image_quality). Operator: controller.';
COMMENT ON COLUMN call.multiplier_ppm IS 'The group''s multiplier then, for that model. Operator: controller.';

-- Least privilege.
GRANT SELECT ON model_match, group_model TO youyun_flusher, youyun_admin;
GRANT SELECT ON group_model TO youyun_portal;
GRANT INSERT, UPDATE, DELETE ON group_model TO youyun_admin;
GRANT SELECT, INSERT ON cost TO youyun_admin;
